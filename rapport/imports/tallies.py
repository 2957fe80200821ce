"""The outcome of an import in numbers: of one file, or of an archive and each file in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from rapport.models import ImportFile, Plan
from rapport.queries.imports import plan_of

from . import bundle, parts, report, saying


def totals(counts: Mapping[str, int], *, dry_run: bool) -> dict[str, int]:
    """The counts of a plan or of an import, named alike."""
    names = {
        "created": "create" if dry_run else "created",
        "updated": "update" if dry_run else "updated",
        "duplicates": "duplicate" if dry_run else "duplicates",
    }
    found = {"rows": counts.get("rows", 0)}
    found |= {name: counts.get(kept, 0) for name, kept in names.items()}
    left_out = counts.get("skip" if dry_run else "skipped", 0)
    found["skipped"] = counts.get("same", 0) + counts.get("changed", 0) + left_out
    found["refused_rows"] = counts.get("refused", 0)
    found["accounts_created"] = counts.get("accounts" if dry_run else "accounts_created", 0)
    if partial := counts.get("partial", 0):
        # Of those that were created or updated: a link of theirs leads nowhere.
        found["partial"] = partial
    if late := counts.get("late", 0):
        # Links to what comes later in the files: set when all of it is there.
        found["links_set_last"] = late
    for name in parts.COUNTED:
        for what, planned in (("created", ""), ("updated", "_updated")):
            number = counts.get(f"{name}{planned}" if dry_run else f"{name}_{what}", 0)
            if number:
                found[f"{name}_{what}"] = number
    return found


def others(found: Mapping[str, int], done: str) -> str:
    """What became of the records that rows name: '1 account created, 2 contacts created'."""
    said = [f"{counted(found['accounts_created'], 'accounts')} {done}"]
    for name in parts.COUNTED:
        for what in ("created", "updated"):
            number = found.get(f"{name}_{what}", 0)
            if number and (name, what) != ("accounts", "created"):
                said.append(f"{counted(number, name)} {done if what == 'created' else 'updated'}")
    return ", ".join(said)


def counted(number: int, plural: str) -> str:
    """'1 row', '1,000 rows': the command line speaks English."""
    return f"{number:,} {plural.removesuffix('s') if number == 1 else plural}"


Told = Callable[[Plan], Iterator[dict[str, Any]]]


def of_rows(upload: ImportFile, told: Told = report.errors) -> Iterator[dict[str, Any]]:
    """Every reason of every row that was not taken, or what else is `told` of a plan; in an archive
    with the file that it is in."""
    several = bundle.is_bundle(upload)
    for one in bundle.members_of(upload) if several else [upload]:
        plan = plan_of(one)
        for error in told(plan) if plan else ():
            yield {"file": one.options["member"], **error} if several else error


def members(upload: ImportFile, *, dry_run: bool) -> dict[str, Any]:
    """The files of an archive, each with its numbers, and what was left out of it and why."""
    left = [{"file": name, "reason": reason} for name, reason in upload.options.get("left_out", ())]
    if not bundle.is_bundle(upload):
        return {"left_out": left} if left else {}
    found = [
        {
            "file": member.options["member"],
            "import": None if dry_run else str(member.pk),
            "entity": member.entity,
            "program": member.options.get("program") or None,
            "format": member.options.get("format"),
            **totals(member.counts, dry_run=dry_run or "created" not in member.counts),
            "mapping": report.mapping_of(member),
            **saying.as_json(member),
        }
        for member in bundle.members_of(upload)
    ]
    return {"members": found, "left_out": left}
