"""A declaration, and what is computed from it and its model."""

import dataclasses

import pytest

from rapport.meta.entity import Draft, Entity, View
from rapport.meta.kinds import Kind
from rapport.meta.registry import Registry, UnknownEntity, registry

CONTACT, TASK, ACTIVITY = registry["contact"], registry["task"], registry["activity"]


def test_misspelt_option_is_an_error_at_once():
    with pytest.raises(TypeError):
        View(key="all", label="All", colums=("name",))


def test_declaration_does_not_change():
    with pytest.raises(dataclasses.FrozenInstanceError):
        CONTACT.title = "last_name"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("last_name", Kind.TEXT),
        ("description", Kind.LONG_TEXT),
        ("email", Kind.EMAIL),
        ("mobile_phone", Kind.PHONE),
        ("website", Kind.URL),
        ("role", Kind.CHOICE),
        ("status", Kind.STATE),
        ("children_count", Kind.NUMBER),
        ("birthday", Kind.DATE),
        ("created_at", Kind.DATETIME),
        ("do_not_email", Kind.BOOLEAN),
        ("account", Kind.LOOKUP),
        ("owner", Kind.OWNER),
        ("address1", Kind.ADDRESS),
    ],
)
def test_kind_comes_from_the_model(name, kind):
    assert CONTACT.fields[name].kind is kind


def test_machinery_is_no_field():
    hidden = {"id", "version", "sort_name", "search_text", "password", "last_login"}

    assert {(e.name, n) for e in registry for n in hidden & set(e.fields)} == set()


def test_pointer_is_one_field_over_two_columns():
    regarding = TASK.fields["regarding"]

    assert (regarding.kind, regarding.columns) == (
        Kind.POINTER, ("regarding_entity", "regarding_id"),
    )  # fmt: skip
    assert {"regarding_entity", "regarding_id"} & set(TASK.fields) == set()


def test_entity_of_a_shared_table_shows_its_own_part():
    assert "location" in ACTIVITY.fields
    assert {"location", "type"} & set(TASK.fields) == set()


def test_only_the_system_writes_these():
    names = {"state", "status", "created_at", "created_by", "modified_at", "owning_unit",
             "full_name", "originating_lead", "address1"}  # fmt: skip

    assert {name for name in names if not CONTACT.fields[name].read_only} == set()


def test_required_comes_from_the_model():
    assert [f.name for f in CONTACT.fields.values() if f.required] == ["owner", "last_name"]


def test_form_has_the_parts_of_an_address():
    assert "address1_city" in CONTACT.form_fields
    assert "address1" not in CONTACT.form_fields


def test_person_is_named_by_its_parts():
    assert CONTACT.title_fields == ("first_name", "middle_name", "last_name")
    assert registry["account"].title_fields == ("name",)


def test_unknown_entity_is_an_error():
    with pytest.raises(UnknownEntity):
        registry["invoice"]


def test_name_is_declared_once():
    own = Registry()
    own.add(CONTACT)
    with pytest.raises(ValueError, match="'contact' is declared twice"):
        own.add(dataclasses.replace(CONTACT))


def test_pointing_fields_are_look_ups_owners_and_pointers():
    at_task = {(p.entity.name, p.field.name) for p in registry.pointing_at(TASK)}
    at_team = {(p.entity.name, p.field.name) for p in registry.pointing_at(registry["team"])}

    assert at_task == {("party", "activity"), ("note", "regarding"), ("share", "record")}
    assert {("account", "owner"), ("share", "principal"), ("membership", "team")} <= at_team


def test_records_of_the_whole_table_are_pointed_at_like_those_of_its_parts():
    pointing = {(p.entity.name, p.field.name) for p in registry.pointing_at(ACTIVITY)}

    assert ("note", "regarding") in pointing


def test_draft_sees_the_values_after_the_write():
    draft = Draft(id=None, values={"a": 1}, current={"a": 0, "b": 2})

    assert [draft.now(name) for name in "abc"] == [1, 2, None]
    assert Draft(id=None, values={}).now("a") is None


def test_draft_collects_what_speaks_against_it():
    draft = Draft(id=None, values={})
    draft.refuse("a", "one")
    draft.refuse("a", "two")

    assert draft.errors == {"a": ["one", "two"]}


def test_fields_belong_to_one_declaration():
    assert Entity.__hash__(CONTACT) != Entity.__hash__(dataclasses.replace(CONTACT))
