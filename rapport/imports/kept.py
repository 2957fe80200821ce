"""By which keys the rows of a plan are known, kept beside its file: so that a row which somebody
repairs is compared with all others, also those of the other files of an archive."""

from __future__ import annotations

import struct
from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping as MappingType
from contextlib import suppress
from itertools import compress, count
from pathlib import Path

from rapport.meta.entity import Entity
from rapport.models import ImportFile, Plan
from rapport.queries.imports import plan_of

from . import uploads
from .chains import MOST
from .seen import Earlier

# `Plan.parameters`: how many rows the earlier files with such records have.
BASE = "base"
_PREFIX = "keys-"
_HEAD = struct.Struct("<5Q")
_MORE = struct.Struct("<II")
_TYPES = "IIIqi"


def base_of(plan: Plan) -> int:
    """How many rows come before those of `plan` in earlier files of its archive."""
    return int(plan.parameters.get(BASE, 0))


def plans_beside(plan: Plan) -> list[Plan]:
    """The plans of the files of an archive that hold the same kind of record, in their order; else
    `plan` alone."""
    upload = plan.import_file
    if upload is None or upload.parent is None:
        return [plan]
    same = upload.parent.members.filter(entity=upload.entity)
    found = [own for member in same if (own := plan_of(member)) and BASE in own.parameters]
    return sorted(found, key=base_of) if plan in found else [plan]


class Places:
    """What `PlanRow.like` means in the rows of a plan; the other plans of an archive are looked for
    once."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._beside: list[Plan] | None = None

    def where(self, like: int) -> tuple[ImportFile | None, int]:
        """The row, and the file when it is another one of the archive."""
        if like >= 0:
            return None, like
        if self._beside is None:
            self._beside = plans_beside(self._plan)[::-1]
        for other in self._beside:
            if base_of(other) < -like:
                return other.import_file, -like - base_of(other)
        return None, 0


def name_of(upload: ImportFile) -> str:
    """What people call a file of an archive."""
    return str(upload.options.get("member") or upload.name)


def save(upload: ImportFile, plan: Plan, seen: MappingType[str, Earlier]) -> None:
    """Keep the keys of `plan` by entity; those of earlier plans are not needed any more."""
    folder = uploads.path_of(upload).parent
    for old in folder.glob(f"{_PREFIX}*"):
        old.unlink(missing_ok=True)
    for entity, earlier in seen.items():
        sizes, parts = earlier.in_parts()
        # Without them a repair is compared with what is stored alone.
        with suppress(OSError), _path(folder, plan, entity).open("wb") as stream:
            stream.write(_HEAD.pack(*sizes))
            for part in parts:
                stream.write(part)


def _path(folder: Path, plan: Plan, entity: str) -> Path:
    return folder / f"{_PREFIX}{plan.pk}-{entity}"


class Keys:
    """The kept keys of a plan, or of that of an archive, of rows of its `entity` or of another one.
    Rows are numbered through all files."""

    def __init__(self, plan: Plan, entity: Entity | None = None) -> None:
        self._path: Path | None = None
        upload = plan.import_file
        whole = upload.parent or upload if upload else None
        last = plan if upload is whole else plan_of(whole) if whole else None
        if upload is not None and whole is not None and last is not None:
            with suppress(uploads.UploadGone):
                name = entity.name if entity is not None else upload.entity
                self._path = _path(uploads.path_of(whole).parent, last, name)

    def rows(self, keys: Iterable[int], matched: Iterable[int]) -> set[int]:
        """Rows that seem to have one of `keys` (halves), or be found by one of `matched`."""
        if self._path is None:
            return set()
        try:
            with self._path.open("rb") as stream:
                sizes = _HEAD.unpack(stream.read(_HEAD.size))
                arrays = []
                for kind, size in zip(_TYPES, sizes, strict=True):
                    arrays.append(array(kind))
                    arrays[-1].fromfile(stream, size)
                more = stream.read()
        except (OSError, EOFError, struct.error):
            return set()
        halves, firsts, numbers, hashes, rows = arrays
        wanted = {*keys}
        found = {number for number, key in _MORE.iter_unpack(more) if key in wanted}
        # The first entry stands for no row.
        places = [place for place in _places(halves, wanted) if place]
        often = Counter(halves[place] for place in places)
        found.update(
            numbers[bisect_right(firsts, place) - 1]
            for place in places
            if often[halves[place]] < MOST
        )
        found.update(map(rows.__getitem__, _places(hashes, {*matched})))
        return found

    def add(self, news: MappingType[int, Iterable[int]]) -> None:
        """Keep the keys of rows that are other ones by now."""
        if self._path is not None and self._path.exists():
            pairs = [_MORE.pack(row, key) for row, keys in news.items() for key in keys]
            with suppress(OSError), self._path.open("ab") as stream:
                stream.write(b"".join(pairs))


def _places(values: array[int], wanted: Collection[int]) -> Iterator[int]:
    """Where one of `wanted` stands."""
    return compress(count(), map(wanted.__contains__, values)) if wanted else iter(())
