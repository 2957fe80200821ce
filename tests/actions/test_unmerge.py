"""Un-merge: the undo of a merge brings everything back, whatever happened meanwhile."""

import uuid

import pytest
from django.apps import apps

from rapport.actions import derived, merge, records, shares, states, undo
from rapport.actions.sweep import LEAST
from rapport.actions.undo import CannotUndo, NotYours
from rapport.meta.kinds import Kind, Ref
from rapport.meta.registry import registry
from rapport.models import Account, Activity, Change, Contact, SavedView, Share
from rapport.queries import moved
from tests import factories

ACCOUNT, CONTACT = registry["account"], registry["contact"]
MERGEABLE = [entity for entity in registry if entity.mergeable]
# What an undo is known to leave its mark on, and what tells of it.
STAMPS = {"version", "modified_at", "modified_by_id"}
TELLING = {"Change", "Operation", "SearchQueue"}


def tables():
    """All rows of all tables, without what says when they were written."""
    derived.drain_queue(100_000)
    found = {}
    for model in apps.get_app_config("rapport").get_models():
        if model.__name__ in TELLING:
            continue
        serial = {"id"} if model.__name__ == "MatchKey" else set()
        names = [c.attname for c in model._meta.concrete_fields if c.attname not in STAMPS | serial]
        found[model.__name__] = sorted(map(repr, model._default_manager.values_list(*names)))
    return found


def hang_on(entity, record, owner):
    """One row of each sort that can point at `record`, through each of its fields."""
    for other in registry:
        for field in other.fields.values():
            if not registry.leads_to(field, entity) or other.name not in factories.MINIMAL:
                continue
            value = factories.ref(record) if field.kind is Kind.POINTER else record
            factories.make(other.name, **{field.name: value})


def family(entity, number, owner):
    """Records that differ, and name each other where they can, with everything on each of them."""
    made = []
    for place in range(number):
        links = {entity.hierarchy: made[-1]} if entity.hierarchy and made else {}
        texts = {"email": f"x{place}@stone.example", "description": "So " * place, **links}
        made.append(factories.make(entity.name, owner=owner, **texts))
    for record in made:
        hang_on(entity, record, owner)
    return made


@pytest.mark.parametrize("number", [2, 5])
@pytest.mark.parametrize("mergeable", MERGEABLE, ids=lambda entity: entity.name)
def test_right_after_the_merge_every_table_is_as_before(admin, mergeable, number):
    made = family(mergeable, number, factories.make_user())
    before = tables()
    op = merge.merge(mergeable, [one.pk for one in made], by=admin)
    merged = tables()
    _, undone = undo.undo(op, by=admin)

    assert undone.conflicts == []
    assert tables() == before != merged
    assert mergeable.records().filter(pk__in=[one.pk for one in made]).count() == number


@pytest.mark.parametrize("mergeable", MERGEABLE, ids=lambda entity: entity.name)
def test_merge_again_is_as_merged(admin, mergeable):
    made = family(mergeable, 3, factories.make_user())
    op = merge.merge(mergeable, [one.pk for one in made], by=admin)
    merged = tables()
    back, _ = undo.undo(op, by=admin)
    _, undone = undo.undo(back, by=admin)

    assert (undone.conflicts, tables()) == ([], merged)
    assert {moved.moved(mergeable, one.pk) for one in made} - {None} == {
        mergeable.records().filter(pk__in=[one.pk for one in made]).get().pk
    }
