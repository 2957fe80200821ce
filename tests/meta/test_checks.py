"""Every mistake in a declaration is named before the first request."""

import dataclasses

import pytest

from rapport.meta.checks import check_entities, problems
from rapport.meta.entity import Command, Related, Section, View
from rapport.meta.field import Pointer
from rapport.meta.registry import registry

ACCOUNT, TASK = registry["account"], registry["task"]


def codes(entity, **changes):
    """Ids of what is wrong with `entity` after these changes."""
    return sorted({code for code, _ in problems(dataclasses.replace(entity, **changes))})


def test_declared_entities_have_no_mistakes():
    assert [str(error) for error in check_entities()] == []


def command(key):
    return Command(key=key, label="Do", icon="check", run=print)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"title": "nme"}, ["E001"]),
        ({"columns": ("name", "town")}, ["E001"]),
        ({"quick": ("town",)}, ["E001"]),
        ({"facts": ("town",)}, ["E001"]),
        ({"search": ("town",)}, ["E001"]),
        ({"duplicates": (("town",),)}, ["E001"]),
        ({"duplicates_otherwise": (("town",),)}, ["E001"]),
        ({"aliases": {"town": ("Ort",)}}, ["E001"]),
        ({"wire": {"town": "town"}}, ["E001"]),
        ({"hierarchy": "mother"}, ["E001"]),
        ({"views": (View(key="all", label="All", order=("-town",)),)}, ["E001"]),
        ({"views": (View(key="all", label="All", where=(("town", "eq", "x"),)),)}, ["E001"]),
        ({"sections": (Section(label="All", fields=("number", "owner")),)}, ["E002"]),
        ({"pointers": {"about": Pointer(label="About", targets=("invoice",))}}, ["E003"]),
        ({"aliases": {"name": ("Firm",), "number": ("firm",)}}, ["E004"]),
        ({"commands": (command("go"), command("go"))}, ["E005"]),
        ({"views": (View(key="all", label="A"), View(key="all", label="B"))}, ["E005"]),
        ({"wire": {"name": "name", "number": "name"}}, ["E005"]),
        ({"related": (Related(label="X", entity="invoice", field="account"),)}, ["E006"]),
        ({"related": (Related(label="X", entity="contact", field="company"),)}, ["E006"]),
        ({"views": (View(key="a", label="A", default=True),
                    View(key="b", label="B", default=True))}, ["E007"]),
        ({"spare": {"email": ("town",)}}, ["E001"]),
        ({"spare": {"email": ("main_phone",)}}, ["E010"]),
        ({"spare": {"email": ("email",)}}, ["E010"]),
        ({"spare": {"description": ("name",)}}, ["E010"]),
        ({"spare": {"website": ("email2",)}}, ["E010"]),
        ({"ownership": "organisation"}, ["E009"]),
    ],
    ids="+".join,
)  # fmt: skip
def test_mistake_is_named(changes, expected):
    assert codes(ACCOUNT, **changes) == expected


def test_records_with_a_unique_field_cannot_be_merged():
    user = registry["user"]

    assert codes(user, mergeable=True) == ["E009"]
    assert codes(user, mergeable=True, principal=False, ownership="user") == ["E009"]


def test_unknown_parent_is_named():
    assert codes(registry["party"], parent="call") == ["E001"]


def test_model_without_what_every_record_has_is_named():
    from rapport.models import Principal

    found = [code for code, _ in problems(dataclasses.replace(
        TASK, model=Principal, scope={}, pointers={}, title="name", columns=(), sections=(),
        quick=(), facts=(), search=(), aliases={}, wire={}, views=(), related=(), prepare=None,
    ))]  # fmt: skip

    assert "E008" in found
