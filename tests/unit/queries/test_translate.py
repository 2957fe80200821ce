"""Conditions mean the same on both databases, also for what is blank."""

import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from rapport.access import SystemActor
from rapport.actions import states
from rapport.meta.kinds import Ref
from rapport.meta.registry import registry
from rapport.models import Lead
from rapport.queries import translate
from rapport.queries.query import Condition, Exists, Group, Query
from tests import factories, people

SYSTEM = SystemActor("test")
NOW = datetime.datetime(2026, 5, 6, 10, tzinfo=datetime.UTC)  # a Wednesday
DAY = datetime.timedelta(days=1)


def matching(rows, entity, *conditions, by=SYSTEM, exists=(), any=False):
    """Names (keys of `rows`) of the records that fulfil all conditions."""
    query = Query(entity=entity, where=Group(conditions, any), exists=exists)
    found = set(translate.rows(query, by, now=NOW).values_list("pk", flat=True))
    return {name for name, row in rows.items() if row.pk in found}


# -- texts ----------------------------------------------------------------------------------------


@pytest.fixture
def cities(db):
    names = ("Berlin", "berlin", "East Berlin", "Bern", "100%", "10_0", "")
    return people.again(
        "cities", lambda: {name: factories.make_account(address1_city=name) for name in names}
    )


@pytest.mark.parametrize(
    ("operator", "value", "expected"),
    [
        ("eq", "BERLIN", {"Berlin", "berlin"}),
        ("eq", "", {""}),
        ("eq", None, {""}),
        ("ne", "berlin", {"East Berlin", "Bern", "100%", "10_0", ""}),
        ("ne", "", {"Berlin", "berlin", "East Berlin", "Bern", "100%", "10_0"}),
        ("ne", None, {"Berlin", "berlin", "East Berlin", "Bern", "100%", "10_0"}),
        ("in", ["Berlin", "Bern"], {"Berlin", "berlin", "Bern"}),
        ("in", [], set()),
        ("not_in", ["Berlin", "Bern"], {"East Berlin", "100%", "10_0", ""}),
        ("contains", "BERL", {"Berlin", "berlin", "East Berlin"}),
        ("contains", "%", {"100%"}),
        ("contains", "_", {"10_0"}),
        ("not_contains", "berl", {"Bern", "100%", "10_0", ""}),
        ("begins", "ber", {"Berlin", "berlin", "Bern"}),
        ("ends", "LIN", {"Berlin", "berlin", "East Berlin"}),
        ("empty", None, {""}),
        ("filled", None, {"Berlin", "berlin", "East Berlin", "Bern", "100%", "10_0"}),
    ],
)
def test_text(operator, value, expected, cities):
    assert matching(cities, "account", Condition("address1_city", operator, value)) == expected


@pytest.mark.parametrize(
    ("operator", "value", "expected"),
    [
        ("contains", "bern", {"Bern"}),
        ("empty", None, {""}),
        ("filled", None, {"Berlin", "berlin", "East Berlin", "Bern", "100%", "10_0"}),
    ],
)
def test_address(operator, value, expected, cities):
    assert matching(cities, "account", Condition("address1", operator, value)) == expected


@pytest.mark.parametrize(
    ("operator", "value", "expected"),
    [
        ("eq", "ÉVRY-ÖSTERÅKER", {"évry-österåker", "Évry-Österåker"}),
        ("eq", "évry-österÅker", {"évry-österåker", "Évry-Österåker"}),
        ("ne", "ÉVRY-österåker", {"Evry", "Straße"}),
        ("in", ["ÉVRY-ÖSTERÅKER"], {"évry-österåker", "Évry-Österåker"}),
        ("contains", "ÖSTER", {"évry-österåker", "Évry-Österåker"}),
        ("not_contains", "ÖSTER", {"Evry", "Straße"}),
        ("begins", "é", {"évry-österåker", "Évry-Österåker"}),
        ("contains", "STRAß", {"Straße"}),
        ("contains", "öåäéèêü", set()),
    ],
)
def test_letters_of_other_alphabets_have_case_too(operator, value, expected, db):
    names = ("évry-österåker", "Évry-Österåker", "Evry", "Straße")
    rows = {name: factories.make_account(address1_city=name) for name in names}

    assert matching(rows, "account", Condition("address1_city", operator, value)) == expected


# -- what values look like ------------------------------------------------------------------------


def stored(name, *texts):
    """Leads that hold these texts in the field `name`, past the checks of actions, by text."""
    rows = {text: factories.make_lead(last_name="Lang") for text in texts}
    for text, row in rows.items():
        Lead.objects.filter(pk=row.pk).update(**{name: text})
    return rows


EMAILS = {
    "invalid": (
        "eva", "eva@", "eva@acme", "eva.@acme.com", ".eva@acme.com", "e..v@acme.com", "e v@x.de",
        "eva@acme..com", "eva@-acme.com", "eva@acme.c0m", "eva@acme.c", "eva@acme.com ", "a@a.a",
        "<eva@acme.com>", "n/a",
    ),
    "untidy": ("Eva@acme.com", "eva@ACME.com"),
    "placeholder": ("a@a.a", "x@xx.xx", "xxx@acme.com", "test@acme.com", "none@none.com", "n/a",
                    "-", "NoEmail@acme.com", "test12@test.de"),
    "": (
        "eva@acme.com", "eva.o'neil+x@mail.acme.co.uk", "jürgen@müller.de", "e@x.org",
        "eva@xn--a.xn--b",
        "na@samsung.kr", "test.driver@acme.com", "foo@bar.com", "contest@acme.com",
    ),
}  # fmt: skip
PHONES = {
    "invalid": ("123", "call me", "n/a", "030/CALL", "0123456789012345678901", "030?1234"),
    "untidy": ("030 1234567", "+49 (0)30 1234567", "+49.30.1234567", "(202) 555-0143"),
    "placeholder": ("000000", "+000 000 000", "11111", "123456", "0123456789", "+49 000000", "xxx"),
    "": (
        "+49 30 1234567", "+1 202-555-0143", "+49 30 1234567 ext. 12", "+49301234567",
        "+49 30 100000", "+44 20 7946 0958",
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "texts"), [("email", EMAILS), ("business_phone", PHONES)], ids=["email", "phone"]
)
def test_values_that_do_not_look_right(name, texts, db):
    rows = stored(name, "", *dict.fromkeys(text for group in texts.values() for text in group))
    operators = [operator for operator in texts if operator]

    found = {o: matching(rows, "lead", Condition(name, o)) for o in operators}

    assert {o: set(texts[o]) - found[o] for o in operators} == {o: set() for o in operators}
    assert set().union(*found.values()) & {"", *texts[""]} == set()
    assert found["untidy"] == set(texts["untidy"])


def test_a_text_that_says_nothing(db):
    names = ("Test", "test 2", "n/a", "N.A.", "???", "xxx", "Unknown", "", "Na", "Foo")
    rows = stored("last_name", *names)

    found = matching(rows, "lead", Condition("last_name", "placeholder"))

    assert found == {"Test", "test 2", "n/a", "N.A.", "???", "xxx", "Unknown"}


def test_a_text_of_several_words(db):
    rows = stored("last_name", "Eva Lang", "Lang", " Lang ", "de la Cruz", "")

    assert matching(rows, "lead", Condition("last_name", "several_words")) == {
        "Eva Lang",
        "de la Cruz",
    }


def test_web_addresses_that_are_none(db):
    texts = ("acme.com", "https://www.acme.com/a?b#c", "http://a.com:80/", "", "acme", "-", "a b")
    rows = stored("website", *texts)

    assert matching(rows, "lead", Condition("website", "invalid")) == {"acme", "-", "a b"}


def test_a_value_of_many_records_counts_those_that_one_may_see(alice, charlie):
    rows = {
        n: factories.make_lead(owner=alice if n < 4 else charlie, email=email)
        for n, email in enumerate(("a@x.org", "A@x.org", "a@x.org", "b@x.org", "b@x.org", ""))
    }
    asked = Condition("email", "repeated", 1)

    assert matching(rows, "lead", asked) == {0, 1, 2, 3, 4}
    assert matching(rows, "lead", asked, by=alice) == {0, 1, 2}
    assert matching(rows, "lead", Condition("email", "repeated", 2)) == {0, 1, 2}


def test_an_owner_who_left(alice, bob, admin):
    rows = {one: factories.make_lead(owner=one) for one in (alice, bob)}
    states.deactivate("user", [bob.pk], by=admin)

    assert matching(rows, "lead", Condition("owner", "inactive")) == {bob}


# -- numbers, amounts, choices --------------------------------------------------------------------


@pytest.fixture
def sizes(db):
    return people.again("sizes", accounts_of_several_sizes)


def accounts_of_several_sizes():
    return {
        name: factories.make_account(
            employees=size,
            annual_revenue=None if size is None else Decimal(size),
            industry=None if size is None else size + 1,
            credit_hold=size == 7,
        )
        for name, size in (("none", None), ("zero", 0), ("five", 5), ("seven", 7))
    }


@pytest.mark.parametrize(
    ("operator", "value", "expected"),
    [
        ("eq", 5, {"five"}),
        ("eq", None, {"none"}),
        ("ne", 5, {"none", "zero", "seven"}),
        ("ne", None, {"zero", "five", "seven"}),
        ("in", [0, 7], {"zero", "seven"}),
        ("in", [], set()),
        ("not_in", [0, 7], {"none", "five"}),
        ("not_in", [], {"none", "zero", "five", "seven"}),
        ("lt", 5, {"zero"}),
        ("le", 5, {"zero", "five"}),
        ("gt", 5, {"seven"}),
        ("ge", 5, {"five", "seven"}),
        ("between", [1, 7], {"five", "seven"}),
        ("empty", None, {"none"}),
        ("filled", None, {"zero", "five", "seven"}),
    ],
)
@pytest.mark.parametrize("name", ["employees", "annual_revenue"])
def test_amount(name, operator, value, expected, sizes):
    if name == "annual_revenue" and value is not None:
        value = [Decimal(v) for v in value] if isinstance(value, list) else Decimal(value)

    assert matching(sizes, "account", Condition(name, operator, value)) == expected


@pytest.mark.parametrize(
    ("operator", "value", "expected"),
    [
        ("eq", 6, {"five"}),
        ("ne", 6, {"none", "zero", "seven"}),
        ("in", [1, 8], {"zero", "seven"}),
        ("not_in", [1, 8], {"none", "five"}),
        ("empty", None, {"none"}),
        ("filled", None, {"zero", "five", "seven"}),
    ],
)
def test_choice(operator, value, expected, sizes):
    assert matching(sizes, "account", Condition("industry", operator, value)) == expected


@pytest.mark.parametrize(
    ("operator", "value", "expected"),
    [
        ("eq", True, {"seven"}),
        ("eq", False, {"none", "zero", "five"}),
        ("ne", True, {"none", "zero", "five"}),
    ],
)
def test_yes_or_no(operator, value, expected, sizes):
    assert matching(sizes, "account", Condition("credit_hold", operator, value)) == expected


def test_groups(sizes):
    small = Group((Condition("employees", "lt", 6), Condition("employees", "empty")), any=True)

    assert matching(sizes, "account", small) == {"none", "zero", "five"}
    held = (small, Condition("employees", "gt", 0))
    assert matching(sizes, "account", *held) == {"five"}
    assert matching(sizes, "account", *held, any=True) == {"none", "zero", "five", "seven"}
    assert matching(sizes, "account", Group()) == set(sizes)


# -- time -----------------------------------------------------------------------------------------

MOMENTS = {
    "long ago": NOW - 800 * DAY,
    "last year": datetime.datetime(2025, 12, 31, 23, 59, tzinfo=datetime.UTC),
    "last month": datetime.datetime(2026, 4, 30, 23, 59, tzinfo=datetime.UTC),
    "last week": datetime.datetime(2026, 5, 3, 23, 59, tzinfo=datetime.UTC),
    "yesterday": datetime.datetime(2026, 5, 5, tzinfo=datetime.UTC),
    "earlier today": datetime.datetime(2026, 5, 6, tzinfo=datetime.UTC),
    "later today": datetime.datetime(2026, 5, 6, 23, 59, tzinfo=datetime.UTC),
    "tomorrow": datetime.datetime(2026, 5, 7, tzinfo=datetime.UTC),
    "next week": datetime.datetime(2026, 5, 11, tzinfo=datetime.UTC),
    "next month": datetime.datetime(2026, 6, 1, tzinfo=datetime.UTC),
    "next year": datetime.datetime(2027, 1, 1, tzinfo=datetime.UTC),
    "never": None,
}
PAST = {"long ago", "last year", "last month", "last week", "yesterday", "earlier today"}
TODAY = {"earlier today", "later today"}
WEEK = {"yesterday", *TODAY, "tomorrow"}
MONTH = {"last week", *WEEK, "next week"}
YEAR = {"last month", *MONTH, "next month"}
SPANS = [
    ("today", None, TODAY),
    ("yesterday", None, {"yesterday"}),
    ("tomorrow", None, {"tomorrow"}),
    ("this_week", None, WEEK),
    ("last_week", None, {"last month", "last week"}),
    ("next_week", None, {"next week"}),
    ("this_month", None, MONTH),
    ("last_month", None, {"last month"}),
    ("next_month", None, {"next month"}),
    ("this_year", None, YEAR),
    ("last_year", None, {"last year"}),
    ("next_year", None, {"next year"}),
    ("last_days", 3, {"last week", "yesterday", *TODAY}),
    ("next_days", 5, {*TODAY, "tomorrow", "next week"}),
    ("older_days", 3, {"long ago", "last year", "last month"}),
    ("newer_days", 3, set(MOMENTS) - {"never", "long ago", "last year", "last month"}),
    ("on", datetime.date(2026, 5, 6), TODAY),
    ("on_or_after", datetime.date(2026, 5, 11), {"next week", "next month", "next year"}),
    ("on_or_before", datetime.date(2026, 4, 30), {"long ago", "last year", "last month"}),
    (
        "between",
        [datetime.date(2026, 5, 5), datetime.date(2026, 5, 7)],
        {"yesterday", *TODAY, "tomorrow"},
    ),
    ("empty", None, {"never"}),
    ("filled", None, set(MOMENTS) - {"never"}),
]


@pytest.fixture
def tasks(db):
    return people.again(
        "tasks",
        lambda: {name: factories.make_task(due_at=at) for name, at in MOMENTS.items()},
    )


@pytest.fixture
def deals(db):
    return people.again(
        "deals",
        lambda: {
            name: factories.make_opportunity(estimated_close_date=moment and moment.date())
            for name, moment in MOMENTS.items()
        },
    )


@pytest.mark.parametrize(("operator", "value", "expected"), SPANS, ids=[span[0] for span in SPANS])
def test_moment(operator, value, expected, tasks):
    assert matching(tasks, "task", Condition("due_at", operator, value)) == expected


@pytest.mark.parametrize(("operator", "value", "expected"), SPANS, ids=[span[0] for span in SPANS])
def test_day(operator, value, expected, deals):
    found = matching(deals, "opportunity", Condition("estimated_close_date", operator, value))

    assert found == expected


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        ("past", PAST),
        ("future", set(MOMENTS) - PAST - {"never"}),
    ],
)
def test_past_and_future_of_a_moment(operator, expected, tasks):
    assert matching(tasks, "task", Condition("due_at", operator)) == expected


def test_past_and_future_of_a_day(deals):
    field = "estimated_close_date"

    assert matching(deals, "opportunity", Condition(field, "past")) == PAST - {"earlier today"}
    assert matching(deals, "opportunity", Condition(field, "future")) == {
        "tomorrow", "next week", "next month", "next year",
    }  # fmt: skip


def test_day_is_the_viewers(tasks):
    with timezone.override(ZoneInfo("Pacific/Auckland")):  # twelve hours ahead
        assert matching(tasks, "task", Condition("due_at", "today")) == {"earlier today"}
    with timezone.override(ZoneInfo("America/Los_Angeles")):  # seven hours behind
        assert matching(tasks, "task", Condition("due_at", "today")) == {"later today", "tomorrow"}


def test_exact_moment(tasks):
    moment = MOMENTS["yesterday"]

    assert matching(tasks, "task", Condition("due_at", "eq", moment)) == {"yesterday"}
    assert "never" in matching(tasks, "task", Condition("due_at", "ne", moment))
    assert matching(tasks, "task", Condition("due_at", "lt", moment)) == (
        {"long ago", "last year", "last month", "last week"}
    )


# -- links ----------------------------------------------------------------------------------------


@pytest.fixture
def contacts(db):
    berlin = factories.make_account(name="Bäckerei", address1_city="Berlin")
    bern = factories.make_account(name="Mill", address1_city="Bern")
    made = {
        "berlin": factories.make_contact(account=berlin, role=1),
        "bern": factories.make_contact(account=bern, role=2),
        "free": factories.make_contact(role=1),
    }
    made["report"] = factories.make_contact(manager=made["berlin"])
    return made


def test_look_up(contacts):
    berlin = contacts["berlin"].account_id

    assert matching(contacts, "contact", Condition("account", "eq", berlin)) == {"berlin"}
    assert matching(contacts, "contact", Condition("account", "ne", berlin)) == {
        "bern", "free", "report",
    }  # fmt: skip
    assert matching(contacts, "contact", Condition("account", "in", [berlin])) == {"berlin"}
    assert matching(contacts, "contact", Condition("account", "empty")) == {"free", "report"}
    assert matching(contacts, "contact", Condition("account", "contains", "BACK")) == {"berlin"}


def test_field_behind_a_look_up(contacts):
    city = Condition("account.address1_city", "eq", "berlin")
    other = Condition("account.address1_city", "ne", "berlin")

    assert matching(contacts, "contact", city) == {"berlin"}
    # Who has no company has none in another city.
    assert matching(contacts, "contact", other) == {"bern"}


def test_records_that_point_here(contacts):
    rows = {"berlin": contacts["berlin"].account, "bern": contacts["bern"].account}
    leaders = Exists("contact", "account", Group((Condition("role", "eq", 1),)))

    assert matching(rows, "account", exists=(leaders,)) == {"berlin"}
    without = Exists("contact", "account", leaders.where, negated=True)
    assert matching(rows, "account", exists=(without,)) == {"bern"}
    assert matching(rows, "account", exists=(Exists("contact", "account"),)) == set(rows)


def test_records_that_point_here_by_a_pointer(db):
    rows = {"called": factories.make_account(), "quiet": factories.make_account()}
    factories.make_phone_call(regarding=rows["called"])
    factories.make_task(regarding=factories.make_lead(account=rows["quiet"]))

    assert matching(rows, "account", exists=(Exists("phone_call", "regarding"),)) == {"called"}
    assert matching(rows, "account", exists=(Exists("task", "regarding"),)) == set()


def test_notes_of_an_activity_count_for_both_of_its_lists(db):
    rows = {"noted": factories.make_task(), "plain": factories.make_task()}
    factories.make_note(regarding=rows["noted"])

    for entity in ("task", "activity"):
        assert matching(rows, entity, exists=(Exists("note", "regarding"),)) == {"noted"}


def test_pointer(db):
    company, lead = factories.make_account(), factories.make_lead()
    rows = {
        "company": factories.make_task(regarding=company),
        "lead": factories.make_task(regarding=lead),
        "none": factories.make_task(),
    }
    to = Ref("account", company.pk)

    assert matching(rows, "task", Condition("regarding", "eq", to)) == {"company"}
    assert matching(rows, "task", Condition("regarding", "ne", to)) == {"lead", "none"}
    assert matching(rows, "task", Condition("regarding", "empty")) == {"none"}
    assert matching(rows, "task", Condition("regarding", "filled")) == {"company", "lead"}


def test_owner(alice, bob, team):
    rows = {
        "alice": factories.make_account(owner=alice),
        "bob": factories.make_account(owner=bob),
        "team": factories.make_account(owner=team),
    }

    assert matching(rows, "account", Condition("owner", "me"), by=alice) == {"alice"}
    assert matching(rows, "account", Condition("owner", "my_teams"), by=alice) == {"alice", "team"}
    assert matching(rows, "account", Condition("owner", "eq", bob.pk)) == {"bob"}
    assert matching(rows, "account", Condition("owner", "ne", bob.pk)) == {"alice", "team"}
    assert matching(rows, "account", Condition("owner", "me")) == set()
    assert registry["account"].fields["owner"].is_link
