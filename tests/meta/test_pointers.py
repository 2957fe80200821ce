"""Every column that can hold the id of a record that may be merged is followed, or left for a
reason: a pointer that a later model adds must be decided."""

from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import models

from rapport.actions import pointers
from rapport.meta.kinds import Kind
from rapport.meta.registry import registry
from rapport.models import Account, User

MODELS = list(apps.get_app_config("rapport").get_models())


def test_every_pointer_is_followed_or_left_on_purpose():
    assert pointers.uncovered(MODELS) == []


def test_what_is_left_is_there_and_says_why():
    columns = {(m.__name__, c.name): c for m in MODELS for c in m._meta.concrete_fields}

    assert set(pointers.LEFT) <= set(columns)
    assert all(isinstance(columns[key], models.UUIDField) for key in pointers.LEFT)
    assert all(pointers.LEFT.values())


def test_texts_that_name_records_are_fields():
    for name, fields in pointers.TEXTS.items():
        for field in fields:
            assert registry[name].fields[field].kind is Kind.LONG_TEXT


def table(*columns):
    """A model that is not ours, with these columns."""
    for name, column in columns:
        column.set_attributes_from_name(name)
    fields = [column for _, column in columns]
    return SimpleNamespace(__name__="Later", _meta=SimpleNamespace(concrete_fields=fields))


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (models.UUIDField(), ["Later.about"]),
        (models.UUIDField(primary_key=True), []),
        (models.ForeignKey(Account, models.CASCADE), ["Later.about"]),
        (models.OneToOneField(Account, models.CASCADE), ["Later.about"]),
        (models.ForeignKey(User, models.CASCADE), []),
        (models.TextField(), []),
    ],
    ids=["id", "own key", "link", "single link", "user", "text"],
)
def test_new_pointer_that_nobody_thought_of_is_found(column, expected):
    assert pointers.uncovered([table(("about", column))]) == expected


def test_names_that_records_are_made_of_need_no_whole_row(entity):
    """What many rows get at once (`write.alter`) leaves derived columns as they are."""
    from rapport.actions import write

    alike = {name for name, field in entity.fields.items() if field.kind in write.ALIKE}
    plain = entity.derive(dict.fromkeys(alike, ""))

    assert entity.derive(dict.fromkeys(alike, "x")) == plain
