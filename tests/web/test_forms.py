"""Forms over fields: what is typed, what counts as changed, and look-ups without script."""

import datetime
import json
import re
from decimal import Decimal

import pytest
from django.http import QueryDict
from django.utils import timezone, translation

from rapport.meta.kinds import Kind, Ref
from rapport.meta.registry import registry
from rapport.queries import one
from rapport.web.forms import RecordForm, expand, prefill
from rapport.web.inputs import INPUTS, REMEDIES, input_text, reading
from tests.contract.samples import varied
from tests.factories import make, make_account, make_contact, make_task, make_user, ref

pytestmark = pytest.mark.django_db

CONTACT, TASK = registry["contact"], registry["task"]
EDITABLE = [entity for entity in registry if entity.form_fields and entity.creatable]


def posted(**values):
    data = QueryDict(mutable=True)
    for name, value in values.items():
        data.setlist(name.replace("__", "-"), value if isinstance(value, list) else [value])
    return data


def form_of(entity, record, by, names=None):
    found = one.get(entity, record.pk, by)
    return RecordForm(
        entity, names or entity.form_fields, by=by, stored=found.values, links=found.links
    )


def untouched(form):
    """What a browser sends when nobody changes anything."""
    data = QueryDict(mutable=True)
    data["was"] = form.was
    for name, field in form.fields.items():
        data[name] = form.text(name).replace("\n", "\r\n")
        if field.kind in {Kind.LOOKUP, Kind.OWNER, Kind.POINTER}:
            data[f"{name}_text"] = form.links[name].title if name in form.links else ""
    return data


def test_every_kind_has_an_input():
    assert set(INPUTS) == set(Kind)


def test_remedies_are_for_kinds_that_can_be_typed_wrong():
    assert set(REMEDIES) <= set(Kind)


# -- what counts as changed ------------------------------------------------------------------------


@pytest.mark.once
@pytest.mark.parametrize("number", [0, 1, 2])
@pytest.mark.parametrize("entity", EDITABLE, ids=lambda entity: entity.name)
def test_a_form_that_nobody_touched_changes_nothing(entity, number, admin):
    form = form_of(entity, make(entity.name, **varied(entity, number)), admin)

    assert (form.read(untouched(form)), form.changed, form.errors) == (True, {}, {})


def test_values_that_an_input_cannot_hold_whole_are_not_changed_by_it(admin):
    moment = datetime.datetime(2026, 5, 4, 10, 20, 30, 123456, tzinfo=datetime.UTC)
    task = make_task(due_at=moment, description="one\r\ntwo\n\nthree ", percent_complete=5)
    form = form_of(TASK, task, admin)

    assert (form.read(untouched(form)), form.changed) == (True, {})


def test_only_what_differs_is_changed_and_expected(admin):
    contact = make_contact(first_name="Eva", last_name="Sommer", job_title="Buyer")
    form = form_of(CONTACT, contact, admin)
    data = untouched(form)
    data["job_title"] = "CFO"

    form.read(data)

    assert (form.changed, form.expected) == ({"job_title": "CFO"}, {"job_title": "Buyer"})


def test_fields_that_were_not_sent_stay(admin):
    form = form_of(CONTACT, make_contact(do_not_email=True), admin)

    form.read(posted(was=form.was, first_name="Eva"))

    assert form.changed == {"first_name": "Eva"}


def test_a_box_that_is_not_ticked_means_no(admin):
    form = form_of(CONTACT, make_contact(do_not_email=True), admin)

    form.read(posted(was=form.was, do_not_email=""))

    assert form.changed == {"do_not_email": False}


def test_theirs_is_kept_when_the_person_says_so(admin):
    form = form_of(CONTACT, make_contact(job_title="CFO"), admin)

    form.read(posted(was=form.was, job_title="Buyer", keep__job_title="theirs"))

    assert (form.changed, form.values["job_title"]) == ({}, "CFO")


@pytest.mark.parametrize("was", ["", "nonsense", "[1]", '{"account": "x"}', '{"birthday": 5}'])
def test_damaged_memories_of_what_was_seen_are_no_error(was, admin):
    form = form_of(CONTACT, make_contact(), admin)

    assert form.read(posted(was=was, job_title="CFO"))
    assert (form.changed, form.expected) == ({"job_title": "CFO"}, {})


# -- typed wrong -----------------------------------------------------------------------------------


@pytest.mark.once
@pytest.mark.parametrize(
    ("name", "typed", "says"),
    [
        ("email", "nobody", "“nobody” is not an e-mail address. Write it like name@example.com."),
        (
            "website",
            "java script",
            "“java script” is not a web address. Write it like www.example.com.",
        ),
        ("children_count", "two", "“two” is not a number. Write digits only, such as 250."),
        (
            "children_count",
            "1e999999999",
            "“1e999999999” is not a number. Write digits only, such as 250.",
        ),
        ("birthday", "soon", "“soon” is not a date. Write it as 2026-01-31."),
        ("role", "77", None),
        ("nickname", "x" * 101, "Longer than 100 characters (101)."),
        ("nickname", "a\0b", "There is a character in the text that cannot be stored."),
        ("last_name", " ", "Last name is required."),
    ],
)
def test_an_error_says_what_to_do(name, typed, says, admin):
    form = form_of(CONTACT, make_contact(), admin)
    data = untouched(form)
    data[name] = typed

    assert not form.read(data)
    assert list(form.errors) == [name]
    if says:
        assert form.errors[name] == [says]
    assert form.text(name) == typed.strip() or form.text(name) == typed


def test_numbers_and_dates_as_the_viewer_writes_them(admin):
    account = registry["account"]
    with translation.override("de"):
        form = RecordForm(
            account, ("annual_revenue",), by=admin, stored={"annual_revenue": Decimal("1234.50")}
        )
        shown = form.text("annual_revenue")
        form.read(posted(was=form.was, annual_revenue="2.500,75"))
        order = reading().date_order

    assert (shown, form.changed, order) == (
        "1234,50",
        {"annual_revenue": Decimal("2500.75")},
        "dmy",
    )


def test_moments_stand_in_the_viewers_zone(admin):
    moment = datetime.datetime(2026, 1, 31, 23, 30, tzinfo=datetime.UTC)
    field = TASK.fields["due_at"]
    with timezone.override("Asia/Tokyo"):
        shown = input_text(field, moment)
        form = RecordForm(TASK, ("due_at",), by=admin, stored={"due_at": None})
        form.read(posted(was=form.was, due_at=shown))

    assert (shown, form.changed["due_at"]) == ("2026-02-01T08:30", moment)


# -- look-ups without script -----------------------------------------------------------------------


@pytest.fixture
def acme(db):
    return make_account(name="Acme Tools")


def looked_up(by, names=("account",), **values):
    form = RecordForm(CONTACT, names, by=by, stored={"account": None})
    form.read(posted(was=form.was, **values))
    return form


def test_one_record_of_that_name_is_meant(acme, admin):
    make_account(name="Acme Tools and More")

    form = looked_up(admin, account_text="acme tools", account="")

    assert (form.changed, form.errors) == ({"account": acme.pk}, {})


def test_one_record_with_these_words_is_meant(acme, admin):
    assert looked_up(admin, account_text="tools", account="").changed == {"account": acme.pk}


def test_several_records_are_listed_to_choose_from(acme, admin):
    other = make_account(name="ACME tools", main_phone="+49 30 1")

    form = looked_up(admin, account_text="Acme Tools", account="")

    assert form.errors == {"account": ["“Acme Tools” may be one of several. Choose one."]}
    html = form.field("account")
    picks = re.findall(r'name="account_pick" value="([^"]+)"', html)
    assert sorted(picks) == sorted([str(acme.pk), str(other.pk), "new"])
    chosen = looked_up(admin, account_text="Acme Tools", account="", account_pick=str(other.pk))
    assert chosen.changed == {"account": other.pk}


def test_an_unknown_name_can_be_created_when_the_person_says_so(admin):
    form = looked_up(admin, account_text="Nobody Ltd", account="")

    assert form.errors == {
        "account": ["There is no “Nobody Ltd”. Tick the box to create it, or write another name."]
    }
    again = looked_up(admin, account_text="Nobody Ltd", account="", account_pick="new")
    assert (again.new, again.errors, again.changed) == ({"account": "Nobody Ltd"}, {}, {})


def test_an_unknown_name_cannot_be_created_without_the_right(north):
    reader = make_user(roles=("read-only",), unit=north)

    form = looked_up(reader, account_text="Nobody Ltd", account="", account_pick="new")

    assert form.errors == {
        "account": ["There is no “Nobody Ltd”. Write the name of an existing record."]
    }


def test_what_somebody_else_may_not_see_is_not_meant(acme, charlie):
    form = looked_up(charlie, account_text="Acme Tools", account="")

    assert list(form.errors) == ["account"]
    assert str(acme.pk) not in form.field("account")


def test_a_typed_name_wins_over_the_key_of_another(acme, admin):
    other = make_account(name="Other Works")

    form = looked_up(admin, account_text="Other Works", account=str(acme.pk))

    assert form.changed == {"account": other.pk}


def test_an_emptied_look_up_names_nothing(acme, admin):
    contact = make_contact(account=acme)
    form = form_of(CONTACT, contact, admin, ("account",))

    form.read(posted(was=form.was, account=str(acme.pk), account_text=""))

    assert form.changed == {"account": None}


def test_a_record_out_of_sight_stays_named(acme, charlie):
    contact = make_contact(account=acme, owner=charlie)
    form = form_of(CONTACT, contact, charlie, ("account",))

    assert (form.read(untouched(form)), form.changed) == (True, {})
    assert "Not visible to you" in form.field("account")
    assert "Acme" not in form.field("account")


def test_a_pointer_finds_records_of_several_entities(acme, admin):
    contact = make_contact(first_name="Eva", last_name="Sommer")
    for text, meant in (("Acme Tools", ref(acme)), ("Eva Sommer", ref(contact))):
        form = RecordForm(TASK, ("regarding",), by=admin, stored={"regarding": None})
        form.read(posted(was=form.was, regarding_text=text, regarding=""))
        assert form.changed == {"regarding": meant}


def test_an_owner_is_a_user_or_a_team(alice, team, admin):
    for text, meant in (("alice archer", alice.pk), ("Northerners", team.pk)):
        form = RecordForm(CONTACT, ("owner",), by=admin, stored={"owner": None})
        form.read(posted(was=form.was, owner_text=text, owner=""))
        assert form.changed == {"owner": meant}


@pytest.mark.parametrize("key", ["nonsense", "../../etc", "account:x"])
def test_a_damaged_key_is_an_error(key, admin):
    form = looked_up(admin, account=key)

    assert form.errors == {"account": ["This is no record."]}


# -- prefilled -------------------------------------------------------------------------------------


def test_an_address_fills_in_what_can_be_read_and_seen(acme, charlie, admin):
    given = posted(account=str(acme.pk), last_name="Sommer", birthday="soon", full_name="x", no="1")

    hers, links = prefill(CONTACT, given, admin)
    his, none = prefill(CONTACT, given, charlie)

    assert hers == {"account": acme.pk, "last_name": "Sommer"}
    assert links["account"].title == "Acme Tools"
    assert (his, none) == ({"last_name": "Sommer"}, {})


def test_values_survive_the_way_through_an_address(acme, admin):
    values = {"regarding": ref(acme), "subject": "Call & ask", "percent_complete": 5}

    given = posted(**{name: input_text(TASK.fields[name], v) for name, v in values.items()})

    assert prefill(TASK, given, admin)[0] == values


def test_addresses_are_filled_in_by_their_parts():
    assert expand(CONTACT, ["last_name", "address1", "full_name"])[:3] == (
        "last_name", "address1_line1", "address1_line2",
    )  # fmt: skip


# -- what stands on the page -----------------------------------------------------------------------


def test_a_field_shows_label_mark_length_and_error(admin):
    form = RecordForm(CONTACT, ("last_name",), by=admin, stored={"last_name": "Sommer"})
    form.read(posted(was=form.was, last_name=""))

    assert form.field("last_name") == (
        '<div class="field"><label class="field-label" for="f-last_name">Last name'
        ' <em aria-hidden="true">*</em></label><input type="text" id="f-last_name"'
        ' name="last_name" value="" autocomplete="off" maxlength="50" required'
        ' aria-invalid="true" aria-describedby="f-last_name-limit f-last_name-error">'
        '<p class="field-help field-limit" id="f-last_name-limit">At most 50 characters</p>'
        '<p class="errors" id="f-last_name-error">Last name is required.</p></div>'
    )


def test_what_people_typed_is_text_and_nothing_else(admin):
    evil = "</textarea>\"'><script>alert(1)</script>"
    account = make_account(name=evil)
    values = {
        name: evil
        for name, field in CONTACT.fields.items()
        if field.kind in {Kind.TEXT, Kind.LONG_TEXT, Kind.EMAIL, Kind.PHONE, Kind.URL}
    }
    links = one.name_links(CONTACT, {"account": account.pk}, admin)
    form = RecordForm(
        CONTACT,
        CONTACT.form_fields,
        by=admin,
        stored={**values, "account": account.pk, "state": 0},
        links=links,
    )

    html = "".join(form.field(name) for name in form.fields) + form.hidden_inputs

    assert "<script" not in html
    assert html.count("</textarea>") == sum(f.kind is Kind.LONG_TEXT for f in form.fields.values())


def test_a_status_reason_stays_within_its_state(admin):
    lead = registry["lead"]
    form = RecordForm(lead, ("status",), by=admin, stored={"status": 1, "state": 0})

    assert re.findall(r">(\w+)</option>", form.field("status")) == ["New", "Contacted"]


def test_the_seen_values_are_one_hidden_input(admin):
    form = RecordForm(TASK, ("subject",), by=admin, stored={"subject": 'a "quoted" <b>'})

    value = re.search(r'name="was" value="([^"]*)"', form.hidden_inputs)[1]

    assert json.loads(value.replace("&quot;", '"').replace("&lt;", "<").replace("&gt;", ">")) == {
        "subject": 'a "quoted" <b>'
    }


def test_a_pointer_value_is_kept_as_it_is(admin, acme):
    form = RecordForm(TASK, ("regarding",), by=admin, stored={"regarding": ref(acme)})

    assert json.loads(form.was) == {"regarding": ["account", str(acme.pk)]}
    form.read(posted(was=form.was, regarding=f"account:{acme.pk}"))
    assert (form.changed, form.values["regarding"]) == ({}, Ref("account", acme.pk))
