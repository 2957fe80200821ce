"""Watched folders: files that programs put below RAPPORT_IMPORT_FOLDER are imported by recipes.

A file is taken with one rename into a folder of its own below `.taken`, whose name is the key of
its `TakenFile`: whoever writes that row first imports the file, so that each is imported once,
whatever dies in between and however many workers look. When the import has ended, the file is put
into `done` or `failed`.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import stat
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from rapport.files.read import FileRefused
from rapport.meta.ids import new_id
from rapport.models import ImportFile, ImportRecipe, TakenFile
from rapport.models.operations import ImportState
from rapport.queries.imports import plan_of

from . import report, unattended
from .recipes import DONE, FAILED
from .uploads import UploadGone

log = logging.getLogger(__name__)

TAKEN = ".taken"
# Names that programs give to files which they are still writing.
PARTIAL = (".part", ".partial", ".tmp", ".temp", ".crdownload", ".filepart", ".download", ".swp")
# Who makes a file first and fills it later gets so many seconds.
EMPTY_FOR = 60.0
AT_ONCE = 200
READ_AT_ONCE = 1 << 20

# What a name may have on most file systems.
NAME_BYTES = 255

# How a file looked the last time, by path: it is taken when it looks the same once more.
_seen: dict[Path, tuple[int, ...]] = {}
# What was wrong the last time, and is not said again until it has been right.
_stuck: dict[str, str] = {}


class NoFolder(OSError):
    """The folder cannot be used; the message is for the log."""


def is_on() -> bool:
    """Whether there is a folder to watch."""
    return bool(settings.IMPORT_FOLDER)


def look(*, until: float | None = None) -> None:
    """Take what has stopped growing, put away what is imported; stop at `until` (monotonic)."""
    if not is_on():
        return
    seen: dict[Path, tuple[int, ...]] = {}
    stuck: dict[str, str] = {}
    for recipe in ImportRecipe.objects.exclude(folder="").select_related("owner").order_by("pk"):
        try:
            _look_into(recipe, seen, stuck, until)
        except (OSError, ValueError) as error:
            text = f"The folder “{recipe.folder}” of a recipe cannot be used: {error}"
            stuck[recipe.folder] = text
    _seen.clear()
    _seen.update(seen)
    _put_away(stuck, until)
    for key, text in stuck.items():
        if _stuck.get(key) != text:
            log.warning("%s", text)
    _stuck.clear()
    _stuck.update(stuck)


def _is_late(until: float | None) -> bool:
    return until is not None and time.monotonic() > until


# -- taken ----------------------------------------------------------------------------------------


def _look_into(
    recipe: ImportRecipe,
    seen: dict[Path, tuple[int, ...]],
    stuck: dict[str, str],
    until: float | None,
) -> None:
    folder = folder_of(recipe.folder)
    taken = _below(folder, TAKEN)
    # Those that were taken by a worker that died before it could say so.
    for token, path in _waiting(taken):
        if _is_still(path, seen):
            _adopt(recipe, token, path.name)
    for number, path in enumerate(_arrived(folder)):
        if number >= AT_ONCE or _is_late(until):
            # Those left over are seen as they were, so that they need not wait twice.
            if path in _seen:
                seen[path] = _seen[path]
            if (key := str(path)) in _stuck:
                stuck[key] = _stuck[key]
        elif _is_still(path, seen):
            try:
                _take(recipe, path, taken, seen)
            except OSError as error:
                # Somebody else's, or open in a program: tried again at the next look.
                text = f"“{path.name}” in “{recipe.folder}” cannot be taken: {error.strerror}"
                stuck[str(path)] = text


def folder_of(name: str) -> Path:
    """The folder of a recipe, made if need be. Raises NoFolder when it leads out of the import
    folder."""
    path = Path(settings.IMPORT_FOLDER).resolve()
    for part in name.split("/"):
        path = _below(path, part)
    return path


def _below(path: Path, name: str) -> Path:
    found = path / name
    with contextlib.suppress(FileExistsError):
        found.mkdir(parents=True)
    # A link may lead anywhere: what lies behind it is nobody's to import.
    if name in {"", ".", ".."} or found.is_symlink() or found.resolve() != found:
        raise NoFolder(f"{found} is a link")
    if not found.is_dir():
        raise NoFolder(f"{found} is no folder")
    return found


def _arrived(folder: Path) -> list[Path]:
    """Files that may be taken, by name; those that could not be taken come last."""
    with os.scandir(folder) as entries:
        names = [
            entry.name
            for entry in entries
            if entry.is_file(follow_symlinks=False)
            and not entry.name.startswith((".", "~$"))
            and not entry.name.lower().endswith(PARTIAL)
        ]
    paths = sorted(folder / name for name in names)
    return sorted(paths, key=lambda path: str(path) in _stuck)


def _is_still(path: Path, seen: dict[Path, tuple[int, ...]]) -> bool:
    """Whether a file looks as it did the last time; remembers how it looks."""
    try:
        facts = path.lstat()
    except OSError:
        return False
    if not stat.S_ISREG(facts.st_mode):
        return False
    looks = (facts.st_ino, facts.st_size, facts.st_mtime_ns)
    seen[path] = looks
    if not facts.st_size and time.time() - facts.st_mtime < EMPTY_FOR:
        return False
    return _seen.get(path) == looks


def _take(recipe: ImportRecipe, path: Path, taken: Path, seen: dict[Path, tuple[int, ...]]) -> None:
    """Move a file where nobody writes to it any more, then import it."""
    token = new_id()
    place = taken / str(token)
    # Other systems write names in other encodings, which no database can keep.
    name = os.fsencode(path.name).decode("utf-8", "replace")
    if len(name.encode()) > NAME_BYTES:
        name = "".join(_split(name))
    place.mkdir()
    try:
        path.rename(place / name)
    except FileNotFoundError:
        place.rmdir()  # another worker was quicker
        return
    except OSError:
        place.rmdir()
        raise
    looked = seen.pop(path)
    now = (place / name).lstat()
    if (now.st_ino, now.st_size, now.st_mtime_ns) == looked:
        _adopt(recipe, token, name)
    # Else it was written to in the very last moment: looked at again where it lies now.


def _waiting(taken: Path) -> list[tuple[uuid.UUID, Path]]:
    """Taken files of which no row tells."""
    tokens = {}
    with os.scandir(taken) as entries:
        for entry in entries:
            with contextlib.suppress(ValueError):
                tokens[uuid.UUID(entry.name)] = Path(entry.path)
    known = set(TakenFile.objects.filter(pk__in=tokens).values_list("pk", flat=True))
    found = []
    for token, place in tokens.items():
        # Another worker may just be putting it away.
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            if token not in known:
                files = [path for path in place.iterdir() if not path.name.startswith(".")]
                found += [(token, path) for path in files[:1]]
                if not files and time.time() - place.stat().st_mtime > EMPTY_FOR:
                    place.rmdir()  # its worker died before the file was in it
    return found


def _adopt(recipe: ImportRecipe, token: uuid.UUID, name: str) -> None:
    """Import a taken file; whoever is second finds its row."""
    problem = unattended.owner_problem(recipe)
    row = TakenFile(
        pk=token, recipe=recipe, folder=recipe.folder, name=name, taken_at=timezone.now()
    )
    with contextlib.suppress(IntegrityError), transaction.atomic():
        if problem:
            row.message = problem
        else:
            row.import_file = unattended.begin(recipe, name=name, via="folder")
        row.save(force_insert=True)


def read(upload: ImportFile) -> Iterator[bytes]:
    """The bytes of a taken file. Raises OSError."""
    row = TakenFile.objects.get(import_file=upload)
    path = folder_of(row.folder) / TAKEN / str(row.pk) / row.name
    # Not followed should it have become a link meanwhile; not waited for should it be a pipe.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        opened = os.open(path, flags | getattr(os, "O_BINARY", 0))
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise NoFolder(f"{path} is a link") from error
        raise
    with os.fdopen(opened, "rb") as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise NoFolder(f"{path} is no file")
        while chunk := stream.read(READ_AT_ONCE):
            yield chunk


# -- put away -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _End:
    """What became of a file: the folder that it goes to, and what is said beside it."""

    folder: str
    text: str = ""


# Of those that are under way there may be many, and what came after them is over sooner.
_MAY_BE_OVER = Q(import_file=None) | ~Q(
    import_file__state__in=(ImportState.UPLOADED, ImportState.PLANNING, ImportState.IMPORTING)
)


def _put_away(stuck: dict[str, str], until: float | None) -> None:
    rows = TakenFile.objects.filter(_MAY_BE_OVER, put_at=None)
    for row in rows.select_related("import_file").order_by("taken_at")[:AT_ONCE]:
        end = _end(row)
        if end is None:
            continue
        key = str(row.pk)
        if _is_late(until):
            if key in _stuck:
                stuck[key] = _stuck[key]
            continue
        try:
            _put(row, end)
        except (OSError, IntegrityError) as error:
            # Tried again at the next look.
            stuck[key] = f"“{row.name}” in “{row.folder}” cannot be put away: {error}"


def _end(row: TakenFile) -> _End | None:
    upload = row.import_file
    if upload is None:
        return _End(FAILED, row.message or _("Somebody has deleted this import."))
    where = _("See My Imports.")
    match upload.state:
        case ImportState.DONE:
            return _End(DONE)
        case ImportState.FAILED | ImportState.CANCELLED:
            return _End(FAILED, upload.message or _("It was cancelled."))
        case ImportState.PLANNED if upload.options.get("left") == unattended.WAITS:
            return _End(DONE, f"{upload.message} {where}")
        case ImportState.PLANNED if upload.options.get("left") == unattended.STOPPED:
            return _End(FAILED, f"{upload.message} {where}")
    return None


def _put(row: TakenFile, end: _End) -> None:
    """Move the file, and what there is to say before it: who finds the file finds all. Every step
    may have been done by a worker that died."""
    folder = folder_of(row.folder)
    place, target = folder / TAKEN / str(row.pk), _below(folder, end.folder)
    name = row.put or _reserve(row, target)
    if end.text:
        _write(place, target / _text_name(name), [f"{end.text}\n".encode()])
    elif row.import_file is not None:
        _put_errors(row.import_file, place, target / _errors_name(name))
    with contextlib.suppress(FileNotFoundError):
        (place / row.name).rename(target / name)
    with contextlib.suppress(FileNotFoundError):
        for part in place.glob(".*"):
            part.unlink()
        place.rmdir()
    row.put_at = timezone.now()
    row.save(update_fields=["put_at"])


def _put_errors(upload: ImportFile, place: Path, path: Path) -> None:
    """The rows that were not taken beside their file, if there are any."""
    plan = plan_of(upload)
    if plan is None or not upload.counts.get("refused", 0) + upload.counts.get("changed", 0):
        return
    try:
        _write(place, path, report.rows_file(upload, plan))
    except (FileRefused, UploadGone) as error:
        _write(place, path.with_suffix(".txt"), [f"{error}\n".encode()])


def _write(place: Path, path: Path, pieces: Iterator[bytes] | list[bytes]) -> None:
    """A whole file or none."""
    place.mkdir(exist_ok=True)
    part = place / f".{path.name}"
    with part.open("wb") as stream:
        stream.writelines(pieces)
    part.replace(path)


def _reserve(row: TakenFile, target: Path) -> str:
    """A name that no other file has or will get; kept, so that the next try takes the same."""
    promised = TakenFile.objects.filter(folder=row.folder, put_at=None).exclude(put="")
    taken = set(promised.values_list("put", flat=True))
    stem, suffix = _split(row.name)
    number = 1
    while True:
        name = row.name if number == 1 else f"{stem} ({number}){suffix}"
        others = (name, _text_name(name), _errors_name(name))
        if name not in taken and not any((target / one).exists() for one in others):
            break
        number += 1
    with transaction.atomic():
        # Another worker at the same row has chosen already, or has put it away.
        mine = TakenFile.objects.filter(pk=row.pk, put="", put_at=None)
        if not mine.update(put=name):
            name = TakenFile.objects.values_list("put", flat=True).get(pk=row.pk)
    row.put = name
    return name


def _split(name: str) -> tuple[str, str]:
    """Stem and suffix, short enough to have something added."""
    path = Path(name)
    stem, suffix = path.stem.encode()[:200], path.suffix.encode()[:20]
    return stem.decode("utf-8", "ignore"), suffix.decode("utf-8", "ignore")


def _text_name(name: str) -> str:
    return "".join((*_split(name), ".txt"))


def _errors_name(name: str) -> str:
    return f"{_split(name)[0]} (errors).csv"
