"""Rooms lean on the floors below them, and what must pass one door passes it."""

import ast
from functools import cache
from pathlib import Path
from typing import NamedTuple

import rapport

PACKAGE = Path(rapport.__file__).parent
FILES = sorted(path for path in PACKAGE.rglob("*.py") if "migrations" not in path.parts)


def room(path):
    """'actions/write.py' for a file of the package."""
    return path.relative_to(PACKAGE).as_posix()


class Found(NamedTuple):
    """What a file holds: names of the attributes that it calls; dotted names that it imports, our
    own in full; (model, method) of what it writes past the writer, as `Model.objects.create(…)`;
    where it compares the name of an entity with a fixed one."""

    calls: frozenset[str]
    imported: frozenset[str]
    writes: tuple[tuple[str, str], ...]
    named: frozenset[str]


@cache
def found(path):
    """All of it at once: to parse the files takes longest."""
    calls, imported, writes, named = set(), set(), [], set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            calls.add(node.func.attr)
            writes += _written(node)
        elif isinstance(node, ast.Import):
            imported.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = ["rapport", *path.relative_to(PACKAGE).parent.parts]
                base = ".".join([*parts[: len(parts) - node.level + 1], *filter(None, [base])])
            imported.update(f"{base}.{alias.name}" for alias in node.names)
        elif (
            isinstance(node, ast.Compare)
            and ast.unparse(node.left).endswith("entity.name")
            and isinstance(node.comparators[0], ast.Constant)
        ):
            named.add(ast.unparse(node))
    return Found(frozenset(calls), frozenset(imported), tuple(writes), frozenset(named))


WRITING = {"bulk_create", "bulk_update", "update_or_create", "get_or_create"}
RECORDS = {
    "Account", "Contact", "Lead", "Opportunity", "Activity", "Party", "Note", "SavedView", "User",
    "Team", "BusinessUnit", "Membership", "Role", "RoleGrant", "RoleAssignment", "Share", "Change",
}  # fmt: skip


def _written(call):
    """The model and the method, when the call of an attribute writes records."""
    method = call.func.attr
    if method not in WRITING | {"create", "update", "delete", "save"}:
        return
    start = call.func.value
    while isinstance(start, ast.Attribute | ast.Call):
        start = start.value if isinstance(start, ast.Attribute) else start.func
    if isinstance(start, ast.Name) and start.id in RECORDS:
        yield start.id, method


def test_only_access_queries_and_actions_ask_who_sees_what():
    asking = {room(path).split("/")[0] for path in FILES if "visible_to" in found(path).calls}

    assert asking <= {"access.py", "queries", "actions"}


def test_meta_knows_nothing_of_sales():
    leaning = {
        (room(path), name)
        for path in FILES
        if room(path).startswith("meta/")
        for name in found(path).imported
        if name.startswith("rapport") and not name.startswith("rapport.meta")
    }

    assert leaning == set()


def test_models_hold_no_rules():
    leaning = {
        (room(path), name)
        for path in FILES
        if room(path).startswith("models/")
        for name in found(path).imported
        if name.startswith("rapport") and not name.startswith(("rapport.meta", "rapport.models"))
    }

    assert leaning == set()


def test_records_are_written_by_the_writer_alone():
    writes = {
        room(path): found(path).writes for path in FILES if not room(path).startswith("bench/")
    }

    assert {name: past for name, past in writes.items() if past} == {}


def test_raw_sql_stays_where_it_is_looked_after():
    raw = {room(path) for path in FILES if {"execute", "executemany"} & found(path).calls}

    rooms = {name.split("/")[0] for name in raw}
    assert rooms & {"web", "api", "exports", "entities", "models", "meta", "demo"} == set()


def test_nobody_names_an_entity_in_the_generic_rooms():
    named = {
        (room(path), compared)
        for path in FILES
        if room(path).split("/")[0] in {"web", "api", "imports", "exports"}
        for compared in found(path).named
    }

    assert named == set()


def test_no_room_is_called_utils():
    words = ("util", "helper", "manager", "common", "misc")

    assert [room(p) for p in FILES if any(word in p.stem for word in words)] == []
