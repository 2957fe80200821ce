"""What rules may say, how they are stored, and which are in force."""

import dataclasses

import pytest

from rapport.duplicates import rules, shipped
from rapport.duplicates.rules import Condition, Criterion, Rule
from rapport.models import DuplicateRule

TITLE = Condition(base=("job_title",), matching=("job_title",), criterion=Criterion.EXACT)
RULE = Rule(
    key="", name="Jobs", base="contact", matching="contact", conditions=(TITLE,), threshold=80
)


def rule(**changes):
    return dataclasses.replace(RULE, **changes)


def condition(**changes):
    return rule(conditions=(dataclasses.replace(TITLE, **changes),))


@pytest.mark.parametrize("one", shipped.every(), ids=lambda one: one.key)
def test_shipped_rules_are_sound_and_can_be_stored(one):
    row = DuplicateRule(
        builtin=one.key, name=one.name, base_entity=one.base, matching_entity=one.matching,
        threshold=one.threshold, definition=rules.dumps(one),
    )  # fmt: skip

    assert rules.check(one) == []
    assert rules.loads(row) == dataclasses.replace(one, builtin=one.key)
    assert one.turned().turned() == one


def test_shipped_rules_have_keys_of_their_own():
    keys = [one.key for one in shipped.every()]

    assert (len(set(keys)), max(map(len, keys)) <= 60) == (len(keys), True)
    assert set(shipped.switched_on()) < set(shipped.every())


@pytest.mark.parametrize(
    ("wrong", "messages"),
    [
        (rule(), []),
        (rule(base="contract"), ["There is no record type “contract”."]),
        (rule(conditions=()), ["A rule needs at least one condition."]),
        (rule(threshold=0), ["The threshold is a percentage from 1 to 100."]),
        (condition(base=("town",)), ["Condition 1: Contact has no field “town”."]),
        (condition(base=()), ["Condition 1: no field is chosen."]),
        (
            condition(criterion=Criterion.DATE, base=("birthday",)),
            [],
        ),
        (
            condition(criterion=Criterion.SAME_DATE),
            ["Condition 1: “Same date” does not fit Job title."] * 2,
        ),
        (
            condition(criterion=Criterion.FIRST),
            ["Condition 1: say how many characters, from 1 to 100."],
        ),
        (condition(parameter=3), ["Condition 1: “Exact match” takes no number."]),
        (condition(weight=0.0), ["Condition 1: a weight is more than 0 and at most 60."]),
    ],
)
def test_what_is_wrong_is_said(wrong, messages):
    assert rules.check(wrong) == messages


@pytest.mark.parametrize("definition", ["", "{", "[]", '{"conditions": [{"base": 1}]}'])
def test_rule_that_cannot_be_read_rests(definition):
    row = DuplicateRule(
        name="x", base_entity="contact", matching_entity="contact", definition=definition, state=1
    )

    assert rules.loads(row).conditions == ()
    rules.take([row], until=0)
    assert rules._kept.rules == shipped.switched_on()


def test_stored_rule_replaces_the_shipped_one_and_may_switch_it_off():
    key = "contact.contact.email"
    row = DuplicateRule(
        builtin=key, name="Mine", base_entity="contact", matching_entity="contact",
        threshold=95, definition=rules.dumps(RULE), state=1,
    )  # fmt: skip

    rules.take([row], until=rules.time.monotonic() + 60)
    mine = [one for one in rules.published("contact") if one.key == key]
    row.state = 0
    rules.take([row], until=rules.time.monotonic() + 60)

    assert [(one.name, one.threshold) for one in mine] == [("Mine", 95)]
    assert key not in {one.key for one in rules.published()}
