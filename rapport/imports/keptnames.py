"""What the rows of a file name that is still to be made, kept beside it: whoever repairs one cell
after the other waits once until all of a large file is read."""

from __future__ import annotations

import struct
from array import array
from contextlib import suppress
from pathlib import Path

from rapport.access import Actor
from rapport.files.partial import beside
from rapport.meta.registry import registry
from rapport.models import ImportFile, Plan

from . import along, uploads
from .feed import mapping_of

_PREFIX = "names-"
_HEAD = struct.Struct("<QQQ")


def read(upload: ImportFile, plan: Plan, by: Actor) -> along.Named:
    """What the rows of `upload` name that is still to be made: read, and kept for the next time.
    Raises FileRefused, UploadGone."""
    # Asked for first: what is made while we read is told the next time.
    state = _state(upload, by)
    found = along.read(upload, mapping_of(upload), by)
    path = _path(upload, plan)
    for old in path.parent.glob(f"{_PREFIX}*"):
        old.unlink(missing_ok=True)
    partial = beside(path)
    # Without it all is the same, only slower.
    with suppress(OSError):
        with partial.open("wb") as stream:
            stream.write(_HEAD.pack(len(state), len(found), len(found[0]) if found else 0))
            stream.write(state)
            for one in found:
                one.tofile(stream)
        partial.replace(path)
    return found


def load(upload: ImportFile, plan: Plan, by: Actor) -> along.Named | None:
    """What is kept of it; None when there is nothing, or when by now there are more records that
    rows may name."""
    try:
        with _path(upload, plan).open("rb") as stream:
            length, columns, rows = _HEAD.unpack(stream.read(_HEAD.size))
            if stream.read(length) != _state(upload, by):
                return None
            found = [array("q") for _column in range(columns)]
            for one in found:
                one.fromfile(stream, rows)
    except (OSError, EOFError, struct.error, uploads.UploadGone):
        return None
    return found


def _path(upload: ImportFile, plan: Plan) -> Path:
    return uploads.path_of(upload).parent / f"{_PREFIX}{plan.pk}"


def _state(upload: ImportFile, by: Actor) -> bytes:
    """Another one for everybody, and when there are newer records to be named: ids begin with the
    moment of their making."""
    newest = [
        (name, registry[name].records().order_by("-pk").values_list("pk", flat=True).first())
        for name in sorted(along.targets(mapping_of(upload)))
    ]
    return repr((str(getattr(by, "pk", by)), newest)).encode()
