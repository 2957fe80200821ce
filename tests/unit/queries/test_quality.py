"""What the checks find, for whom, and what is kept of it."""

import datetime

import pytest

from rapport.actions import quality as keeping, repairs, states
from rapport.meta.registry import registry
from rapport.models import Activity, Contact, Lead
from rapport.queries import flaws, quality, query
from tests import factories

LONG_AGO = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
TODAY = datetime.date(2026, 5, 6)


def checks():
    return flaws.checks(12)


def found(by):
    """{(entity, key): number} of the checks that find something."""
    counted = [quality.count(check, by) for check in checks()]
    return {(f.entity, f.measure): f.number for f in counted if f.number}


def contact(owner, **values):
    """A contact without any fault but `values`, past the checks of actions."""
    fine = {"email": "eva@acme.com", "account": factories.make_account(owner=owner)}
    row = factories.make_contact(owner=owner, **fine)
    Contact.objects.filter(pk=row.pk).update(**values)
    return row


def test_checks_are_queries_that_can_be_asked_and_mended():
    declared = flaws.checks(*flaws.MONTHS)

    for check in declared:
        query.check(check.query)
    keys = [(check.entity, check.key) for check in declared]
    assert len(set(keys)) == len(keys)
    assert {check.group for check in declared} == set(flaws.GROUPS)


def test_fixes_are_commands_that_the_entity_has():
    for check in flaws.checks(*flaws.MONTHS):
        entity = registry[check.entity]
        commands = {c.key for c in entity.commands if c.bulk} | {"edit", "assign", "delete"}
        for fix in check.fixes:
            values = dict(fix.values)
            if fix.command == "repair":
                assert repairs.repair_of(entity, values["repair"])
            else:
                assert fix.command in commands
            assert values.get("add", entity.form_fields[0]) in entity.form_fields


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, set()),
        ({"email": "eva@acme"}, {"email.invalid"}),
        ({"email3": "eva.@acme.com"}, {"email.invalid"}),
        ({"email": "test@acme.com"}, {"email.placeholder"}),
        ({"email": "Eva@acme.com"}, {"email.untidy"}),
        ({"fax": "ask Tom"}, {"phone.invalid"}),
        ({"home_phone": "000 000"}, {"phone.placeholder"}),
        ({"mobile_phone": "030 1234567"}, {"phone.untidy"}),
        ({"mobile_phone": "+49 30 1234567"}, set()),
        ({"email": ""}, {"unreachable"}),
        ({"last_name": "n/a"}, {"name.placeholder"}),
        ({"first_name": "", "last_name": "Eva Lang"}, {"name.whole"}),
        ({"first_name": "Eva", "last_name": "de la Cruz"}, set()),
        ({"last_name": "eva@acme.com"}, {"name.email"}),
        ({"address1_city": "Bonn"}, {"country.missing"}),
        ({"account": None}, {"account.missing"}),
        ({"modified_at": LONG_AGO}, {"stale.12"}),
        ({"modified_at": LONG_AGO, "state": 1, "account": None, "email": "x"}, set()),
    ],
    ids=str,
)
def test_what_is_wrong_with_a_contact(values, expected, alice):
    contact(alice, **values)

    assert found(alice) == {("contact", key): 1 for key in expected}


def test_an_activity_keeps_a_record_from_being_stale(alice):
    calm, called, invited = (contact(alice, modified_at=LONG_AGO) for _ in range(3))
    old = factories.make_task(owner=alice, regarding=calm)
    Activity.objects.filter(pk=old.pk).update(occurred_at=LONG_AGO)
    factories.make_task(owner=alice, regarding=called)
    meeting = factories.make_task(owner=alice, regarding=factories.make_lead(owner=alice))
    factories.make("party", activity=meeting, person=invited)
    stale = next(c for c in checks() if c.key == "stale.12" and c.entity == "contact")

    assert quality.count(stale, alice).number == 1


def test_other_records_that_are_left_alone(alice, bob, admin):
    for _ in range(flaws.MANY + 1):
        factories.make_lead(owner=alice, email="info@acme.com")
    lead = factories.make_lead(owner=bob)
    factories.make_opportunity(owner=alice, estimated_close_date=datetime.date(2020, 1, 1))
    factories.make_task(owner=alice)
    states.deactivate("user", [bob.pk], by=admin)

    assert found(admin) == {
        ("lead", "email.repeated"): flaws.MANY + 1,
        ("lead", "owner.inactive"): 1,
        ("lead", "unreachable"): 1,
        ("opportunity", "closing.past"): 1,
        ("activity", "regarding.missing"): 1,
    }
    Lead.objects.filter(pk=lead.pk).update(state=2)
    assert ("lead", "owner.inactive") not in found(admin)


def test_only_what_the_viewer_may_read_counts(alice, charlie):
    contact(charlie, email="eva@acme")
    for _ in range(flaws.MANY):
        factories.make_lead(owner=charlie, email="info@acme.com")
    factories.make_lead(owner=alice, email="info@acme.com")

    assert found(alice) == {}
    assert not quality.sees_everything(alice)


def test_counting_stops(alice):
    for _ in range(3):
        contact(alice, account=None)
    check = next(c for c in checks() if c.key == "account.missing")
    entity = registry["contact"]

    figure = quality.count(check, alice, limit=2)
    partly = quality.filled(entity, alice, limit=2)

    assert (figure.number, figure.more) == (2, True)
    assert quality.count(check, alice, limit=3).more is False
    assert all(one.more for one in partly)


def test_completeness(admin):
    contact(admin, job_title="CEO", business_phone="+49 30 1234567")
    contact(admin, account=None, first_name="")
    entity = registry["contact"]

    figures = quality.filled(entity, admin)
    shares = {f.measure: (f.number, f.total) for f in figures}

    assert shares == {
        "filled.first_name": (1, 2),
        "filled.last_name": (2, 2),
        "filled.job_title": (1, 2),
        "filled.account": (1, 2),
        "filled.email": (2, 2),
        "filled.business_phone": (1, 2),
        "filled.address1_city": (0, 2),
        "filled.address1_country": (0, 2),
    }
    assert quality.score(figures) == 8 * 100 // 16
    assert quality.score([]) is None
    assert quality.count(flaws.missing(entity, "account"), admin).number == 1


def test_every_step_measures_what_it_says(admin):
    for step in quality.steps():
        measured = {(f.entity, f.measure) for f in quality.measure(step, admin)}

        assert measured == step.measures


# -- what is kept ----------------------------------------------------------------------------------


def figure(number, measure="email.invalid", entity="contact"):
    return quality.Figure(entity, measure, number, 10)


def test_history_is_thinned_and_keeps_the_newest(db):
    for ago in range(100):
        keeping.keep([figure(ago)], TODAY - datetime.timedelta(days=ago))
    keeping.keep([figure(7)], TODAY)
    keeping.keep([figure(9)], TODAY + datetime.timedelta(days=1))

    kept = quality.history(today=TODAY)
    line = kept.lines["contact", "email.invalid"]

    assert kept.day == TODAY
    assert kept.latest("contact", "email.invalid") == figure(7)
    assert kept.latest("contact", "nothing") is None
    assert [day for day, *_ in line] == sorted(day for day, *_ in line)
    assert 20 <= len(line) <= quality.POINTS + 1


def test_a_measure_that_is_not_counted_yet_today_is_yesterdays(db):
    yesterday = TODAY - datetime.timedelta(days=1)
    for ago in range(2, 100):
        keeping.keep([figure(ago)], TODAY - datetime.timedelta(days=ago))
    keeping.keep([figure(1), figure(2, "phone.invalid")], yesterday)
    keeping.keep([figure(3)], TODAY)

    kept = quality.history(today=TODAY)

    assert kept.latest("contact", "phone.invalid") == figure(2, "phone.invalid")
    assert quality.measured(TODAY) == {("contact", "email.invalid")}


def test_the_radars_figures_stand_apart(db):
    keeping.keep([figure(4, "duplicates.open")], TODAY)

    assert quality.history(today=TODAY).day is None
    own = quality.history(today=TODAY, duplicates=True)
    assert own.lines == {("contact", "duplicates.open"): [(TODAY, 4, 10)]}
