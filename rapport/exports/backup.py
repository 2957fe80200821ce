"""A whole Rapport as one file: every table, every uploaded file, and what must be in it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from django.conf import settings
from django.utils import timezone

import rapport
from rapport.files.bundle import BundleWriter
from rapport.meta.storable import storable_document
from rapport.models import ImportFile
from rapport.queries import backup

FORMAT = "rapport-backup"
VERSION = 1
_BLOCK = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What a backup holds: rows by table, and uploaded files. `mended`: rows without signs that an
    earlier Rapport had stored, although no database takes them."""

    rows: Mapping[str, int]
    files: int
    mended: int = 0


def write(stream: IO[bytes], *, passwords: bool = True) -> Contents:
    """Write all that there is at this moment to `stream`, in constant memory, while others work on.

    Without `passwords`, those who sign in by one have to choose another after a restore.
    """
    bundle = BundleWriter(stream)
    tables = {}
    stored: list[str] = []
    mended = 0
    with backup.snapshot():
        moment = timezone.now()
        for model in backup.tables():
            name = backup.name_of(model)
            count = 0
            with bundle.member(member_of(name)) as member:
                for rows in backup.rows(model, passwords=passwords):
                    data, odd = _lines(rows)
                    member.write(data)
                    count, mended = count + len(rows), mended + odd
            columns = [column.attname for column in backup.columns(model)]
            tables[name] = {"columns": columns, "rows": count}
        named = ImportFile.objects.exclude(stored="").order_by("pk")
        stored = list(named.values_list("stored", flat=True))
        migrations = backup.migrations()
    files = sum(_add_file(bundle, name) for name in stored)
    bundle.close(
        format=FORMAT,
        version=VERSION,
        rapport=rapport.__version__,
        made_at=moment.isoformat(timespec="seconds"),
        migrations=migrations,
        passwords=passwords,
        tables=tables,
    )
    counts = {name: int(str(table["rows"])) for name, table in tables.items()}
    return Contents(rows=counts, files=files, mended=mended)


def member_of(table: str) -> str:
    """Name of the member with the rows of `table`."""
    return f"tables/{table}.jsonl"


def _lines(rows: Sequence[Sequence[object]]) -> tuple[bytes, int]:
    """Rows as they are written, and how many of them are not as they are stored."""
    text = "".join(map(_line, rows))
    with suppress(UnicodeEncodeError):
        if "\\u0000" not in text:
            return text.encode(), 0
    kept = [storable_document(row) for row in rows]
    odd = sum(list(row) != one for row, one in zip(rows, kept, strict=True))
    return "".join(map(_line, kept)).encode(), odd


def _line(row: Sequence[object]) -> str:
    # Keys of JSON columns in order: one database keeps that of the writer, the other its own.
    return json.dumps(row, ensure_ascii=False, sort_keys=True, separators=(",", ":")) + "\n"


def _add_file(bundle: BundleWriter, stored: str) -> bool:
    """Add an uploaded file; whether it is still kept."""
    path = Path(settings.MEDIA_ROOT) / stored
    if not path.is_file():
        return False
    with path.open("rb") as source, bundle.member(f"files/{stored}") as member:
        while block := source.read(_BLOCK):
            member.write(block)
    return True
