"""What the kills of imports do inside Django; see `inside`."""

from __future__ import annotations

import csv
import datetime
import io
import json
import random
import re
import uuid
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

KNOWN = 2_000
# Of each fate so many rows are decided by hand.
DECIDED = 30


def prepare(user: str, rows: int) -> dict[str, Any]:
    """People who are there already; a file with new ones, with changes of those, with others who
    are there twice, and with rows that nobody can take; and an archive of files that refer to each
    other. Received and described."""
    from django.conf import settings

    from . import importtasks, people

    home = Path(settings.HOME)
    known = home / "known.csv"
    with known.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([people.HEADER, *people.people(KNOWN, seed=1)])
    importtasks.bring(user, str(known))
    file = home / "mixed.csv"
    with file.open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["(Do Not Modify) Contact", *people.HEADER])
        table.writerows(_mixed(rows))
    archive = home / "mixed.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as whole:
        for name, lines in _referring(rows // 2).items():
            text = io.StringIO(newline="")
            csv.writer(text).writerows(lines)
            whole.writestr(name, text.getvalue())
    return {
        "file": importtasks.receive(user, str(file))["import"],
        "archive": importtasks.receive(user, str(archive), entity="auto")["import"],
    }


def _referring(rows: int) -> dict[str, list[list[str]]]:
    """Deals, people and companies as another program exports them; those first that refer to what
    comes later, some to what never comes."""
    from . import people

    pick = random.Random(4)  # noqa: S311 -- believable data, not secrets
    accounts = [["Id", "Name", "ParentId", "Phone", "BillingCity"]]
    contacts = [["Id", "AccountId", "LastName", "FirstName", "Email", "ReportsToId"]]
    deals = [["Id", "Name", "AccountId", "CloseDate", "Amount"]]
    for number in range(rows // 10):
        parent = f"A{pick.randrange(rows // 10)}" if pick.random() < 0.3 else ""
        accounts.append(
            [
                f"A{number}",
                people.company(number + 5_000 * (number % 4))[0],
                parent,
                f"+49 30 {number + 100_000}",
                "Bonn",
            ]
        )
    for number, row in enumerate(people.people(rows, seed=5)):
        account = f"A{pick.randrange(rows // 10 + 5)}"
        chief = f"C{pick.randrange(rows)}" if pick.random() < 0.2 else ""
        last = row[1] if pick.random() < 0.97 else ""
        contacts.append([f"C{number}", account, last, row[0], row[2], chief])
        if number % 5 == 0:
            deals.append([f"D{number}", f"Deal {number}", account, "2027-01-31", str(number)])
    return {"opportunities.csv": deals, "contacts.csv": contacts, "accounts.csv": accounts}


def _mixed(rows: int) -> Iterator[list[str]]:
    from rapport.models import Contact

    from . import people

    pick = random.Random(3)  # noqa: S311 -- believable data, not secrets
    stored = [list(row) for row in people.people(KNOWN, seed=1)]
    ids = dict(Contact.objects.values_list("email", "pk"))
    earlier: list[list[str]] = []
    for row in people.people(rows, seed=2):
        kind, cells = pick.random(), list(row)
        if kind < 0.2:
            mine = pick.choice(stored)
            id_, cells = ids.get(mine[2], ""), list(mine)
            if kind < 0.1:
                cells[4], cells[14] = f"{row[4]} of {row[11]}", row[14]
            elif kind < 0.15:
                id_, cells[5] = "", row[5]
            yield [str(id_), *cells]
            continue
        if kind < 0.25 and earlier:
            cells = list(pick.choice(earlier))
        elif kind < 0.32:
            place, text = pick.choice(((1, ""), (13, "31.02.2020"), (2, "not an address"),
                                       (9, "1" * 300)))  # fmt: skip
            cells[place] = text
        elif kind < 0.4:
            cells[3] = ""
        earlier = [*earlier[-200:], cells]
        yield ["", *cells]


def decide(user: str, upload: str) -> dict[str, Any]:
    """What people decide and repair between plan and application."""
    from rapport.imports import deciding, decisions
    from rapport.imports.flow import columns_of
    from rapport.models import ImportFile, User
    from rapport.models.operations import Fate
    from rapport.queries.imports import plan_of

    by, file = User.objects.get(pk=user), ImportFile.objects.get(pk=upload)
    if file.members.exists():
        return {}
    columns, plan = columns_of(file), plan_of(file)
    assert plan is not None
    of = {
        fate: list(plan.rows.filter(found=fate).order_by("row")[:DECIDED])
        for fate in (Fate.DUPLICATE, Fate.UPDATE, Fate.REFUSED)
    }
    for place, row in enumerate(of[Fate.DUPLICATE] + of[Fate.UPDATE]):
        said = decisions.choices(row.found, row.like)
        deciding.decide(file, row.row, said[place % len(said)], by=by)
    for row in of[Fate.REFUSED]:
        repaired = {"Last Name": f"Repaired {row.row}", "Birthday": "1999-01-31", "Email": ""}
        cells = {columns.index(name): text for name, text in repaired.items()}
        deciding.repair(file, row.row, cells, by=by)
    deciding.decide_all(file, Fate.SAME, "skip", by=by)
    return {}


# -- what is there in the end ---------------------------------------------------------------------

_ID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")
_OF_THE_RUN = re.compile(r"(^|_)at$|^job_id$|^version$")


def written(upload: str, file: str) -> dict[str, Any]:
    """Every row that an import has to do with, as text without ids and times of this run:
    {table: sorted rows}, into `file`."""
    from django.db.models import Exists, Model, OuterRef

    from rapport.meta.registry import registry
    from rapport.models import (
        Account,
        Change,
        Contact,
        ImportFile,
        KeyRing,
        Lead,
        MatchKey,
        Operation,
        Opportunity,
        Plan,
        PlanRow,
        SourceId,
    )
    from rapport.models.journal import ChangeVerb
    from rapport.queries.history import FILES

    known = _names(ImportFile.objects.get(pk=upload))
    plans = Plan.objects.exclude(import_file=None)
    # Not with the records: their ids are made from that of the plan, and one may be the same.
    files = {plan.pk: f"plan of {plan.import_file}" for plan in plans.select_related("import_file")}
    # A link to a row of the same batch is set in a second pass, one to an earlier batch at once;
    # where batches end depends on time. So what becomes of new records counts, not in how many
    # steps.
    created = Change.objects.filter(verb=ChangeVerb.CREATE, record=OuterRef("record"))
    changes = Change.objects.exclude(
        Exists(created.filter(operation=OuterRef("operation"))), verb=ChangeVerb.UPDATE
    )
    whole: tuple[type[Model], ...] = (
        Account, Contact, Lead, Opportunity, MatchKey, KeyRing, SourceId, Operation, ImportFile,
    )  # fmt: skip
    rows: dict[str, list[str]] = {}
    for model, found in (
        *((model, model._default_manager.all()) for model in whole),
        (Change, changes),
        (Plan, plans),
        (PlanRow, PlanRow.objects.filter(plan__in=plans)),
    ):
        is_counted = model._meta.pk.get_internal_type() == "BigAutoField"
        lines = rows[model._meta.db_table] = []
        for row in found.values().iterator():
            if "plan_id" in row:
                row["plan_id"] = files[row["plan_id"]]
            if is_counted or model is Plan:
                row["id"] = files.get(row["id"])
            if model is Operation and FILES in row["parameters"]:
                # Where in the journal each file begins depends on the number of steps, too.
                kept = row["parameters"]
                row["parameters"] = {**kept, FILES: [name for _first, name, *_key in kept[FILES]]}
            lines.append(_line(known, row))
    rows[PlanRow._meta.db_table] += [
        _line(known, {**row, "plan_id": files[plan.pk]})
        for plan in plans
        for row in _together(plan)
    ]
    for entity in ("account", "contact", "lead", "opportunity"):
        table = registry[entity].search_table
        rows[table] = [_line(known, row) for row in _asked(f"SELECT record, text FROM {table}")]
    table = Operation._meta.db_table
    rows[table] = [re.sub(r'"counts": {[^}]*}, ', "", line) for line in rows[table]]
    for lines in rows.values():
        lines.sort()
    Path(file).write_text(json.dumps(rows), "utf-8")
    return {}


def _together(plan: Any) -> Iterator[dict[str, Any]]:
    """The rows of a plan that are kept together, each as a row of its own."""
    from rapport.imports import samerows

    for kept in samerows.told(plan):
        yield {c.attname: getattr(kept, c.attname) for c in kept._meta.concrete_fields}


def _asked(sql: str) -> Iterator[dict[str, Any]]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(sql)
        names = [column[0] for column in cursor.description]
        for row in cursor.fetchall():
            yield dict(zip(names, row, strict=True))


def _names(upload: Any) -> Callable[[re.Match[str]], str]:
    """What to call the records that the import made: by entity, row and title."""
    from rapport.meta.registry import registry
    from rapport.models import Change
    from rapport.models.journal import ChangeVerb

    made = Change.objects.filter(operation=upload.operation_id, verb=ChangeVerb.CREATE)
    found: dict[str, str] = {}
    for name in made.values_list("entity", flat=True).distinct():
        entity = registry[name]
        titles = dict(entity.records().values_list("pk", entity.title))
        pairs = [(row, titles.get(id_, ""), id_) for id_, row in
                 made.filter(entity=name).values_list("record", "row")]  # fmt: skip
        for row, title, id_ in pairs:
            found[id_.hex] = f"{name} {row} {title}"
    found[uuid.UUID(str(upload.operation_id)).hex] = "operation"

    def known(match: re.Match[str]) -> str:
        return found.get(match[0].replace("-", ""), match[0])

    return known


def _line(known: Callable[[re.Match[str]], str], row: dict[str, Any]) -> str:
    kept = {name: value for name, value in row.items() if not _OF_THE_RUN.search(name)}
    text = json.dumps(kept, default=_plain, ensure_ascii=False, sort_keys=True)
    return _ID.sub(known, text)


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime.date) else str(value)


TASKS = {"prepare": prepare, "decide": decide, "written": written}
