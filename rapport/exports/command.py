"""`rapport export`: records to a file, or to whatever reads our output; `backup` and `restore`."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

from django.utils.translation import gettext as _, ngettext

from rapport.access import Actor, Forbidden
from rapport.meta.entity import Entity
from rapport.meta.registry import registry
from rapport.queries import views
from rapport.queries.query import Query

from .formats import FORMATS, fitting, table_for
from .rows import Table


class NotExported(ValueError):
    """Nothing was written; the message is for people. `code` is that of the command."""

    def __init__(self, message: str, code: int = 1):
        self.code = code
        super().__init__(message)


def run(args: argparse.Namespace) -> int:
    """Export what `args.by` may export of `args.entity`. Exit code 0; 1 when it failed, 2 when
    it was asked for what does not exist."""
    try:
        entity = _entity(args.entity)
        query = _query(entity, args.view, args.by)
        if args.format not in fitting(entity):
            message = _("%(records)s cannot be written as %(format)s")
            raise NotExported(
                message % {"records": entity.label_plural, "format": FORMATS[args.format].label}, 2
            )
        if args.output is None and args.format == "xlsx" and sys.stdout.isatty():
            raise NotExported(_("a workbook is nothing to look at here: say where to with -o"), 2)
        try:
            found = table_for(args.format, query, args.by, all_fields=args.all_fields)
        except Forbidden:
            message = _("%(name)s may not export %(records)s")
            raise NotExported(
                message % {"name": args.by, "records": str(entity.label_plural).lower()}
            ) from None
        with _target(args.output) as stream:
            count, left_out = _write(found, args.format, stream)
    except NotExported as error:
        return _complain(str(error), error.code)
    except BrokenPipeError:
        raise  # the reader has had enough: that is no error of ours
    except OSError as error:
        return _complain(f"{args.output or ''}: {error.strerror or error}".removeprefix(": "), 1)
    if left_out:
        message = ngettext(
            "%(count)s text is too long for a cell and left out; take CSV for it",
            "%(count)s texts are too long for a cell and left out; take CSV for them",
            left_out,
        )
        _complain(message % {"count": left_out}, 0)
    if args.output is not None:
        message = ngettext("%(count)s row in %(file)s", "%(count)s rows in %(file)s", count)
        print(message % {"count": count, "file": args.output})
    return 0


def run_backup(args: argparse.Namespace) -> int:
    """Write everything to one file, for its owner's eyes only."""
    from . import backup

    path: Path = args.file
    if path.exists():
        return _complain(_("%(file)s is there already") % {"file": path}, 1, "backup")
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.touch(mode=0o600, exist_ok=False)
        with part.open("wb") as stream:
            made = backup.write(stream, passwords=not args.no_passwords)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
    except OSError as error:
        return _complain(f"{path}: {error.strerror or error}", 1, "backup")
    finally:
        part.unlink(missing_ok=True)
    print(_contents(made.rows, made.files) % {"file": path})
    _tell_mended(made.mended, "backup")
    return 0


def run_restore(args: argparse.Namespace) -> int:
    """Fill an empty Rapport from a backup."""
    from . import restore

    try:
        made = restore.restore(args.file)
    except (restore.FileRefused, restore.NotEmpty, restore.Unfit) as error:
        return _complain(str(error), 1, "restore")
    except OSError as error:
        return _complain(f"{args.file}: {error.strerror or error}", 1, "restore")
    print(_contents(made.rows, made.files) % {"file": args.file})
    _tell_mended(made.mended, "restore")
    return 0


def _contents(rows: Mapping[str, int], files: int) -> str:
    total, tables = sum(rows.values()), sum(1 for count in rows.values() if count)
    text = _("%(rows)s rows of %(tables)d tables and %(files)d uploaded files: %%(file)s")
    return text % {"rows": f"{total:,}", "tables": tables, "files": files}


def _tell_mended(rows: int, command: str) -> None:
    if rows:
        message = _(
            "signs that no database takes, such as zero bytes, are left out of %(count)s rows"
        )
        _complain(message % {"count": f"{rows:,}"}, 0, command)


def _complain(message: str, code: int, command: str = "export") -> int:
    print(f"rapport {command}: {message}", file=sys.stderr)
    return code


def _entity(name: str) -> Entity:
    if name in registry:
        return registry[name]
    known = ", ".join(entity.name for entity in registry if entity.in_hub)
    message = _("there is no entity “%(name)s”; there are %(known)s")
    raise NotExported(message % {"name": name, "known": known}, 2)


def _query(entity: Entity, key: str, by: Actor) -> Query:
    if not key:
        return Query(entity=entity.name, columns=entity.columns)
    view = views.find(entity, key, by)
    if view is None:
        known = ", ".join(declared.key for declared in entity.views)
        message = _("there is no view “%(view)s”; there are %(known)s")
        raise NotExported(message % {"view": key, "known": known}, 2)
    if view.problem:
        # Without its filters the file would hold more than was asked for.
        message = _("the view “%(view)s” does not fit any more: %(problem)s")
        raise NotExported(message % {"view": view.label, "problem": view.problem})
    return view.query


def _write(found: Table, format_: str, stream: IO[bytes]) -> tuple[int, int]:
    """How many rows were written, and how many texts their cells could not hold."""
    writer = FORMATS[format_].writer(found, stream)
    count = 0
    for batch in found.batches:
        writer.write_columns(batch)
        count += len(batch[0])
    writer.close()
    stream.flush()
    return count, getattr(writer, "left_out", 0)


@contextlib.contextmanager
def _target(path: Path | None) -> Iterator[IO[bytes]]:
    """Where to write. A file is there when it is whole, so that nobody takes half of it along."""
    if path is None:
        yield sys.stdout.buffer
        return
    if path.exists() and not path.is_file():  # a directory says so itself, a device takes it
        with path.open("wb") as stream:
            yield stream
        return
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as stream:
            yield stream
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
