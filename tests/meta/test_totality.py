"""Tables keyed by kind, verb or entity have all of them: a new one must be decided everywhere."""

from pathlib import Path

import pytest

from rapport import migrations
from rapport.actions.roles import BUILTIN
from rapport.exports import cells as export_cells
from rapport.imports import cells as import_cells
from rapport.meta import kinds
from rapport.meta.columns import ChoiceColumn
from rapport.meta.field import kind_of
from rapport.meta.kinds import Kind
from rapport.meta.registry import registry
from rapport.models.people import Depth, Verb
from rapport.queries import query
from rapport.web import cells, filters, inputs, lists, panels

KINDS = {
    "kinds.parsers": kinds._PARSERS,
    "kinds.checkers": kinds._CHECKERS,
    "kinds.writers": kinds._WRITERS,
    "queries.operators": query.KIND_OPERATORS,
    "web.cells": cells.CELLS,
    "web.inputs": inputs.INPUTS,
    "web.filters": filters.FILTER_INPUTS,
    "web.panels": panels.PLAIN,
    "web.widths": lists.WIDTHS,
    "imports.converters": import_cells.CONVERTERS,
    "exports.shapes": export_cells.SHAPES,
}


@pytest.mark.parametrize("table", KINDS.values(), ids=KINDS)
def test_table_has_every_kind(table):
    assert set(table) == set(Kind)


def test_every_operator_is_used_and_takes_a_known_kind_of_value():
    used = {name for operators in query.KIND_OPERATORS.values() for name in operators}

    assert used == set(query.OPERATORS)
    assert {takes for _, takes in query.OPERATORS.values()} == {
        "", "one", "many", "two", "number", "times",
    }  # fmt: skip


def test_builtin_roles_grant_known_verbs_on_known_entities():
    pairs = {pair for _, _, grants in BUILTIN.values() for pair in grants}
    depths = {depth for _, _, grants in BUILTIN.values() for depth in grants.values()}

    assert {entity for entity, _ in pairs} - {e.name for e in registry} == {"*"}
    assert {verb for _, verb in pairs} == {verb.value for verb in Verb}
    assert depths <= set(Depth)


def test_every_owned_entity_is_in_a_role_that_sells():
    governed = {"activity" if e.activity else e.name for e in registry if e.ownership == "user"}
    granted = {entity for entity, verb in BUILTIN["salesperson"][2] if verb == "read"}

    assert governed - granted == set()


def test_every_column_has_a_kind(entity):
    without = [
        column.name
        for column in entity.model._meta.concrete_fields
        if not column.primary_key
        and column.name not in {f"{name}_id" for name in entity.pointers}
        and kind_of(column) not in Kind
    ]

    assert without == []


def test_every_choice_field_has_options(entity):
    assert [
        field.name
        for field in entity.fields.values()
        if field.kind in {Kind.CHOICE, Kind.STATE} and not field.options
    ] == []


def test_every_field_that_people_fill_has_a_label(entity):
    assert [field.name for field in entity.editable if not str(field.label)] == []


def test_every_field_of_the_wire_has_one_name(entity):
    names = [field.wire for field in entity.fields.values() if field.wire]

    assert len(names) == len(set(names))


def test_wire_names_of_entities_differ():
    for names in (
        [e.wire_name for e in registry],
        [e.wire_set for e in registry],
        [e.code for e in registry if e.code],
    ):
        assert len(names) == len(set(names))
        assert "" not in names


def test_views_columns_and_conditions_are_valid_queries(entity):
    for view in entity.views:
        query.check(query.of_view(entity, view.key))


def test_related_lists_have_columns_of_their_entity(entity):
    for related in entity.related:
        other = registry[related.entity]
        assert set(related.columns) <= set(other.fields)
        assert set(related.prefill) <= set(other.fields)
        assert set(related.prefill.values()) <= set(entity.fields)


def test_choices_have_no_value_twice():
    columns = [
        column
        for entity in registry
        for column in entity.model._meta.concrete_fields
        if isinstance(column, ChoiceColumn) and column.choices
    ]

    for column in columns:
        values = [value for value, _ in column.flatchoices]
        labels = [str(label) for _, label in column.flatchoices]
        assert len(set(values)) == len(values) == len(set(labels))


def test_search_index_has_a_table_for_each_searched_entity():
    folder = Path(migrations.__path__[0])
    text = "".join(path.read_text(encoding="utf-8") for path in folder.glob("0*.py"))

    assert [e.table for e in registry if e.in_search and f'"{e.table}"' not in text] == []
