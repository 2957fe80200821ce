"""Several files into one archive, and out of it again: each table an import of its own."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import Any

from django.utils import timezone

from rapport.files import archive, bundle as backups
from rapport.files.detect import Detected
from rapport.files.read import FileRefused
from rapport.files.refusal import gettext_noop
from rapport.models import ImportFile

from . import reasons, uploads

BLOCK = 1 << 20


def packed(files: Iterable[tuple[str, Iterable[bytes]]]) -> Iterator[bytes]:
    """Several files as one archive, in pieces: they are then taken like one."""
    out = _Pieces()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as whole:
        taken: set[str] = set()
        for name, chunks in files:
            with whole.open(_free(name, taken), "w", force_zip64=True) as member:
                for chunk in chunks:
                    member.write(chunk)
                    yield from out.drain()
    yield from out.drain()


def _free(name: str, taken: set[str]) -> str:
    """Two files of one name are two members."""
    path = PurePosixPath(name.replace("\\", "/").rsplit("/", 1)[-1] or "file")
    found, number = str(path), 1
    while found in taken:
        number += 1
        found = f"{path.stem} ({number}){path.suffix}"
    taken.add(found)
    return found


class _Pieces(io.RawIOBase):
    """A stream that only goes forward, of which the caller takes what was written."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting: list[bytes] = []
        self._end = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._waiting.append(bytes(data))
        self._end += len(data)
        return len(data)

    def tell(self) -> int:
        return self._end

    def drain(self) -> Iterator[bytes]:
        """What was written since."""
        yield from self._waiting
        self._waiting.clear()


def refuse_backup(detected: Detected) -> None:
    """Raise FileRefused for a backup of Rapport, which is no list."""
    names = {member.name for member in detected.members}
    if backups.MANIFEST in names and any(name.startswith("tables/") for name in names):
        raise FileRefused(
            "backup",
            gettext_noop("This is a backup of Rapport, not a list of records."),
            gettext_noop("Bring it back into an empty Rapport with: rapport restore FILE"),
        )


def unpack(upload: ImportFile, detected: Detected) -> tuple[list[ImportFile], list[list[str]]]:
    """The tables of an archive, or the sheets of a workbook, each as a file of its own; and [name,
    reason] of what is none."""
    found: list[ImportFile] = []
    for before in upload.members.all():
        drop(before)
    if detected.sheets:
        return [_sheet(upload, name) for name in lists_of(detected)], []
    with archive.opened(uploads.path_of(upload)) as opened:
        for member in detected.members:
            if not member.format:
                continue
            stored, size = uploads.store(_pieces(opened, member.name))
            found.append(
                ImportFile.objects.create(
                    name=PurePosixPath(member.name).name[:255],
                    stored=stored,
                    size=size,
                    options={"auto": True, "member": member.name},
                    parent=upload,
                    created_by=upload.created_by,
                    created_at=timezone.now(),
                )
            )
    return found, no_tables(detected)


def no_tables(detected: Detected) -> list[list[str]]:
    """[name, reason] of what is no table in an archive."""
    return [
        [member.name, reasons.in_words(member.why)]
        for member in detected.members
        if member.why is not None
    ]


def lists_of(detected: Detected) -> list[str]:
    """The sheets of a workbook that may be lists."""
    return [sheet.name for sheet in detected.sheets if not sheet.hidden and sheet.rows != 0]


def _sheet(upload: ImportFile, name: str) -> ImportFile:
    # There may be a hundred sheets, and the workbook may be large.
    stored, size = uploads.store_again(upload)
    return ImportFile.objects.create(
        name=name[:255],
        stored=stored,
        size=size,
        options={"auto": True, "member": name, "sheet": name},
        parent=upload,
        created_by=upload.created_by,
        created_at=timezone.now(),
    )


def _pieces(opened: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    with archive.honest(), opened.open(name) as stream:
        while block := stream.read(BLOCK):
            yield block


def drop(member: ImportFile) -> None:
    """Forget a file of an archive that is no list after all."""
    uploads.forget(member)
    member.delete()
