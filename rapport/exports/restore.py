"""A backup back into an empty Rapport, or not at all."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from rapport.actions import restore as action
from rapport.actions.restore import Filled, NotEmpty, Unfit
from rapport.files.bundle import Bundle, opened
from rapport.files.refusal import FileRefused
from rapport.meta.storable import storable_document
from rapport.models import ImportFile
from rapport.queries import backup

from .backup import FORMAT, VERSION, Contents, member_of

__all__ = ["FileRefused", "NotEmpty", "Unfit", "restore"]

# Where uploads lie below MEDIA_ROOT; what is kept elsewhere is none.
_STORED = re.compile(r"imports/[0-9a-f]{32}/original")
# What may be a zero byte, or half of a pair, as JSON writes it.
_UNSTORABLE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")


def restore(path: Path) -> Contents:
    """Restore the backup at `path`. Raises FileRefused, NotEmpty, Unfit: nothing has changed."""
    action.require_empty()
    with opened(path, format=FORMAT, version=VERSION) as found:
        known, mended = _known(found), Counter[str]()
        with _placed(found):
            counts = action.restore(_tables(found, known, mended))
        return Contents(rows=counts, files=len(found.files), mended=mended.total())


def _known(found: Bundle) -> dict[str, dict[str, Any]]:
    """The tables that the manifest lists, when this Rapport has all of them."""
    listed = found.manifest.get("tables")
    steps = found.manifest.get("migrations")
    if not isinstance(listed, dict) or not isinstance(steps, list):
        raise Unfit(_("the manifest lists no tables"))
    if newer := sorted({str(step) for step in steps} - set(backup.migrations())):
        message = _("a newer Rapport made this backup (%(step)s): update this one first")
        raise Unfit(message % {"step": newer[-1]})
    names = {backup.name_of(model) for model in backup.tables()}
    for name, table in listed.items():
        shaped = isinstance(table, dict) and isinstance(table.get("columns"), list)
        if name not in names or not shaped or member_of(name) not in found.manifest["members"]:
            raise Unfit(_("there is no table “%(table)s”") % {"table": str(name)[:80]})
    return listed


def _tables(
    found: Bundle, known: dict[str, dict[str, Any]], mended: Counter[str]
) -> Iterator[Filled]:
    for model in backup.tables():
        name = backup.name_of(model)
        if name in known:
            columns = [str(column) for column in known[name]["columns"]]
            rows = _rows(found, name, known[name].get("rows"), mended)
            if model is ImportFile:
                rows = _at_home(rows, columns)
            yield Filled(model, columns, rows)


def _rows(found: Bundle, name: str, said: Any, mended: Counter[str]) -> Iterator[Sequence[Any]]:
    count = 0
    for line in found.lines(member_of(name)):
        count += 1
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, list):
            raise Unfit(_("%(table)s: line %(line)d is no row") % {"table": name, "line": count})
        if _UNSTORABLE.search(line):
            # Of a backup by an earlier Rapport, which let it in.
            odd, row = row, storable_document(row)
            mended[name] += row != odd
        yield row
    if count != said:
        message = _("%(table)s: %(count)d rows where the manifest says %(said)s")
        raise Unfit(message % {"table": name, "count": count, "said": str(said)[:20]})


def _at_home(rows: Iterator[Sequence[Any]], columns: Sequence[str]) -> Iterator[Sequence[Any]]:
    """Uploads that are where uploads are: their path is opened, sent and deleted later on."""
    place = columns.index("stored") if "stored" in columns else None
    for row in rows:
        stored = row[place] if place is not None and place < len(row) else ""
        if stored and not (isinstance(stored, str) and _STORED.fullmatch(stored)):
            raise Unfit(_("an uploaded file cannot be at “%(path)s”") % {"path": str(stored)[:80]})
        yield row


@contextmanager
def _placed(found: Bundle) -> Iterator[None]:
    """The uploaded files where they belong; gone again when the rest fails."""
    made: list[Path] = []
    try:
        for name in found.files:
            if not _STORED.fullmatch(name):
                raise Unfit(_("an uploaded file cannot be at “%(path)s”") % {"path": name[:80]})
            target = Path(settings.MEDIA_ROOT) / name
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            made.append(target.parent)
            found.copy(name, target)
        yield
    except BaseException:
        for folder in made:
            shutil.rmtree(folder, ignore_errors=True)
        raise
