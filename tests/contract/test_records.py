"""What holds for the records of every entity: create, read, update, delete, restore, undo."""

import pytest

from rapport.access import Forbidden
from rapport.actions import records, undo
from rapport.actions.rowvalues import from_columns, to_columns
from rapport.models import Change, MatchKey
from rapport.queries import history, one, timeline
from tests import factories, journal
from tests.contract.samples import MADE, other_values, varied

NEWS = {"version", "modified_at", "modified_by_id"}
made = pytest.mark.parametrize("entity", MADE, ids=lambda entity: entity.name)


def stored(record):
    """The row as it lies in the table, but for what each write changes."""
    row = type(record).objects.filter(pk=record.pk).values().get()
    return {name: value for name, value in row.items() if name not in NEWS}


@made
def test_created_record_reads_as_it_was_given(entity, admin):
    values = factories.minimal(entity.name)
    id_ = records.create_record(entity, values, by=admin)

    found = one.get(entity, id_, admin)
    assert {name: found.values[name] for name in values} == values
    assert (found.version, found.values["created_by"]) == (1, admin.pk)
    assert found.title != ""


@made
def test_creating_is_one_operation_with_one_change(entity, admin):
    values = factories.minimal(entity.name)
    before = journal.operations()
    id_ = records.create_record(entity, values, by=admin)

    (change,) = Change.objects.filter(record=id_)
    assert journal.since(before) == [f"{entity.name}.create"]
    assert (change.entity, change.verb, change.before, change.after) == (entity.name, 1, None, None)


@made
def test_changing_notes_what_changed_and_nothing_else(entity, admin):
    record = factories.make(entity.name)
    values = other_values(entity, record)
    before = journal.operations()
    op = records.update_record(entity, record.pk, values, by=admin)

    assert journal.since(before) == [f"{entity.name}.update"]
    assert [(c[0], c[1]) for c in journal.changes(op)] == [(entity.name, "update")]
    derived = {"full_name"} if values.keys() & {"first_name", "middle_name", "last_name"} else set()
    assert set(journal.fields(op, record)) == set(values) | derived


@made
def test_changing_nothing_leaves_no_trace(entity, admin):
    record = factories.make(entity.name)
    (name,) = other_values(entity, record)
    before = journal.operations()
    records.update_record(
        entity, record.pk, {name: getattr(record, entity.fields[name].column)}, by=admin
    )

    assert journal.since(before) == []
    assert type(record).objects.get(pk=record.pk).version == record.version


@made
def test_row_becomes_values_and_a_row_again(entity, admin):
    record = factories.make(entity.name)
    row = type(record).objects.filter(pk=record.pk).values().get()
    columns = to_columns(
        entity, {k: v for k, v in from_columns(entity, row).items() if k != "version"}
    )

    assert columns == {name: row[name] for name in columns}


@made
def test_undo_of_a_creation_removes_the_record(entity, admin):
    values = factories.minimal(entity.name)
    id_ = records.create_record(entity, values, by=admin)
    _, undone = undo.undo(journal.last(), by=admin)

    assert (entity.records().filter(pk=id_).count(), undone.conflicts) == (0, [])
    assert not MatchKey.objects.filter(record=id_).exists()


@made
def test_undo_of_a_change_restores_the_row(entity, admin):
    record = factories.make(entity.name)
    before = stored(record)
    op = records.update_record(entity, record.pk, other_values(entity, record), by=admin)
    assert stored(record) != before

    _, undone = undo.undo(op, by=admin)
    assert (stored(record), undone.conflicts) == (before, [])


@made
def test_deleted_record_comes_back_as_it_was(entity, admin):
    record = factories.make(entity.name)
    if not entity.deletable:
        with pytest.raises(Forbidden):
            records.delete_records(entity, [record.pk], by=admin)
        return
    before = stored(record)
    op = records.delete_records(entity, [record.pk], by=admin)
    assert not entity.records().filter(pk=record.pk).exists()

    _, undone = undo.undo(op, by=admin)
    assert (stored(record), undone.conflicts) == (before, [])


@made
def test_deleted_record_lies_in_the_recycle_bin(entity, admin):
    if not (entity.deletable and entity.in_hub):
        return
    record = factories.make(entity.name)
    op = records.delete_records(entity, [record.pk], by=admin)
    assert [d.change.record for d in history.deleted(admin)[0]] == [record.pk]

    undo.undo(op, by=admin)
    assert history.deleted(admin)[0] == []


@made
def test_history_tells_the_change_in_words(entity, admin):
    record = factories.make(entity.name)
    (name,) = values = other_values(entity, record)
    records.update_record(entity, record.pk, values, by=admin)
    events, more = history.history(one.get(entity, record.pk, admin), admin)

    assert ([event.who for event in events], more) == (["Ada Admin", "setup"], False)
    changed = {change.field.name: change for change in events[0].fields}
    assert changed[name].before != changed[name].after != ""
    assert events[1].fields == ()


@made
@pytest.mark.parametrize("number", range(4))
def test_every_field_keeps_what_it_is_given(entity, number, admin):
    values = varied(entity, number)
    record = factories.make(entity.name, **values)

    assert {name: getattr(record, name) for name in values} == values


@made
def test_timeline_of_every_entity_that_has_one(entity, admin):
    if not entity.has_timeline:
        return
    record = factories.make(entity.name, owner=admin)
    task = factories.make_task(regarding=record, owner=admin)
    note = factories.make_note(regarding=record, owner=admin)
    entries, end = timeline.timeline(one.get(entity, record.pk, admin), admin)

    assert {e.row.pk for e in entries if e.kind != "system"} == {task.pk, note.pk}
    assert ([e.kind for e in entries].count("system"), end) == (1, None)
