"""Options that an organisation adds to choice lists."""

import math

import pytest

from rapport.access import Forbidden
from rapport.actions import options, records, undo
from rapport.actions.records import InvalidRecord, RecordNotFound
from rapport.meta import options as lists
from rapport.meta.kinds import InvalidValue, check, parse, to_text
from rapport.meta.registry import registry
from rapport.models import ChoiceOption, Operation
from rapport.queries.options import read
from tests import factories

pytestmark = pytest.mark.django_db
INDUSTRY = registry["account"].fields["industry"]


def fresh():
    lists.take(read(), until=math.inf)


def test_an_added_option_is_one_like_those_that_ship(admin):
    value = options.add_option("industry", "  Space   flight ", by=admin)
    fresh()

    assert value == lists.FIRST
    assert parse(INDUSTRY, "space flight") == value
    assert to_text(registry["lead"].fields["industry"], value) == "Space flight"
    # Twice the same is one; a name that ships is that option.
    assert options.add_option("industry", "SPACE FLÍGHT", by=admin) == value
    assert options.add_option("industry", "accounting", by=admin) == 1
    assert options.add_option("industry", "Beekeeping", by=admin) == value + 1


def test_an_option_that_is_offered_no_more_stays_where_it_is(admin):
    value = options.add_option("industry", "Whaling", by=admin)
    fresh()
    account = factories.make_account(industry=value)
    row = ChoiceOption.objects.get(value=value)

    options.offer_option(row.pk, offered=False, by=admin)
    fresh()

    assert [o.label for o in INDUSTRY.options if o.value == value] == []
    assert to_text(INDUSTRY, value) == "Whaling"
    with pytest.raises(InvalidValue):
        parse(INDUSTRY, "Whaling")
    records.update_record(registry["account"], account.pk, {"name": "Other"}, by=admin)
    # Asked for again, it is offered again.
    assert options.add_option("industry", "whaling", by=admin) == value
    fresh()
    assert parse(INDUSTRY, "Whaling") == value


def test_renaming_renames_it_everywhere_and_can_be_undone(admin):
    value = options.add_option("lead_source", "Fairs", by=admin)
    row = ChoiceOption.objects.get(value=value)

    options.rename_option(row.pk, "Trade fairs", by=admin)
    fresh()
    assert to_text(registry["lead"].fields["source"], value) == "Trade fairs"
    with pytest.raises(InvalidRecord):
        options.rename_option(row.pk, "Employee Referral", by=admin)

    undo.undo(Operation.objects.get(kind="choice_option.update"), by=admin)
    fresh()
    assert to_text(registry["lead"].fields["source"], value) == "Fairs"


def test_only_who_may_adds_options_and_only_to_lists_that_grow(admin, alice):
    with pytest.raises(Forbidden):
        options.add_option("industry", "Mine", by=alice)
    assert (options.may_add(admin), options.may_add(alice)) == (True, False)
    for name in ("priority", "gender", "nothing"):
        with pytest.raises(RecordNotFound):
            options.add_option(name, "Mine", by=admin)


def test_a_number_that_nobody_added_is_none():
    with pytest.raises(InvalidValue):
        check(INDUSTRY, lists.FIRST)
