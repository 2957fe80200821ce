"""Rooms lean on the floors below them, and what must pass one door passes it."""

import ast
from pathlib import Path

import pytest

import rapport

PACKAGE = Path(rapport.__file__).parent
FILES = sorted(path for path in PACKAGE.rglob("*.py") if "migrations" not in path.parts)


def room(path):
    """'actions/write.py' for a file of the package."""
    return path.relative_to(PACKAGE).as_posix()


def tree(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def calls(path):
    """Names of the attributes that are called in a file."""
    return {
        node.func.attr
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }


def imported(path):
    """Dotted names that a file imports, our own in full."""
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = ["rapport", *path.relative_to(PACKAGE).parent.parts]
                base = ".".join([*parts[: len(parts) - node.level + 1], *filter(None, [base])])
            found.update(f"{base}.{alias.name}" for alias in node.names)
    return found


def test_only_access_queries_and_actions_ask_who_sees_what():
    asking = {room(path).split("/")[0] for path in FILES if "visible_to" in calls(path)}

    assert asking <= {"access.py", "queries", "actions"}


def test_meta_knows_nothing_of_sales():
    leaning = {
        (room(path), name)
        for path in FILES
        if room(path).startswith("meta/")
        for name in imported(path)
        if name.startswith("rapport") and not name.startswith("rapport.meta")
    }

    assert leaning == set()


def test_models_hold_no_rules():
    leaning = {
        (room(path), name)
        for path in FILES
        if room(path).startswith("models/")
        for name in imported(path)
        if name.startswith("rapport") and not name.startswith(("rapport.meta", "rapport.models"))
    }

    assert leaning == set()


WRITING = {"bulk_create", "bulk_update", "update_or_create", "get_or_create"}
RECORDS = {
    "Account", "Contact", "Lead", "Opportunity", "Activity", "Party", "Note", "SavedView", "User",
    "Team", "BusinessUnit", "Membership", "Role", "RoleGrant", "RoleAssignment", "Share", "Change",
}  # fmt: skip


def _writes(path):
    """(model, method) of what a file writes past the writer: `Model.objects.create(…)` and such."""
    for node in ast.walk(tree(path)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        method = node.func.attr
        if method not in WRITING | {"create", "update", "delete", "save"}:
            continue
        start = node.func.value
        while isinstance(start, ast.Attribute | ast.Call):
            start = start.value if isinstance(start, ast.Attribute) else start.func
        if isinstance(start, ast.Name) and start.id in RECORDS:
            yield start.id, method


@pytest.mark.parametrize("path", [p for p in FILES if not room(p).startswith("bench/")], ids=room)
def test_records_are_written_by_the_writer_alone(path):
    assert list(_writes(path)) == []


def test_raw_sql_stays_where_it_is_looked_after():
    raw = {room(path) for path in FILES if {"execute", "executemany"} & calls(path)}

    rooms = {name.split("/")[0] for name in raw}
    assert rooms & {"web", "api", "exports", "entities", "models", "meta", "demo"} == set()


def test_nobody_names_an_entity_in_the_generic_rooms():
    named = set()
    for path in FILES:
        if room(path).split("/")[0] not in {"web", "api", "imports", "exports"}:
            continue
        for node in ast.walk(tree(path)):
            if (
                isinstance(node, ast.Compare)
                and ast.unparse(node.left).endswith("entity.name")
                and isinstance(node.comparators[0], ast.Constant)
            ):
                named.add((room(path), ast.unparse(node)))

    assert named == set()


def test_no_room_is_called_utils():
    words = ("util", "helper", "manager", "common", "misc")

    assert [room(p) for p in FILES if any(word in p.stem for word in words)] == []
