"""Uploaded files: kept under MEDIA_ROOT in folders with random names, opened as tables."""

from __future__ import annotations

import secrets
import shutil
import unicodedata
from collections.abc import Iterable
from dataclasses import asdict, fields
from pathlib import Path, PurePath
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from rapport.actions.retention import ORIGINAL, UPLOADS
from rapport.files.detect import sniff
from rapport.files.read import FileRefused, ReadOptions, Table, open_table
from rapport.models import ImportFile


class UploadTooLarge(ValueError):
    """The file is larger than this installation takes; the message is for people."""


class UploadGone(LookupError):
    """The file is not kept any more."""


def plain_name(name: str) -> str:
    """The name of a file without its folders, however its program writes them, and without signs
    that nobody sees and no database takes."""
    plain = "".join(sign for sign in name if unicodedata.category(sign) not in {"Cc", "Cs"})
    return PurePath(plain.replace("\\", "/")).name


def store(chunks: Iterable[bytes]) -> tuple[str, int]:
    """Keep a file. Its path below MEDIA_ROOT, and its size. Raises UploadTooLarge."""
    relative, path = _place()
    size = 0
    try:
        with path.open("xb") as stream:
            for chunk in chunks:
                size += len(chunk)
                if size > settings.UPLOAD_LIMIT:
                    raise too_large()
                stream.write(chunk)
    except BaseException:
        shutil.rmtree(path.parent, ignore_errors=True)
        raise
    return relative, size


def _place() -> tuple[str, Path]:
    """A path below MEDIA_ROOT for a new file, and the same in full."""
    relative = f"{UPLOADS}/{secrets.token_hex(16)}/{ORIGINAL}"
    path = Path(settings.MEDIA_ROOT) / relative
    path.parent.mkdir(parents=True, mode=0o700)
    return relative, path


def store_again(upload: ImportFile) -> tuple[str, int]:
    """Keep the file of `upload` a second time, where the disk can do that without its bytes; as
    `store`. Raises UploadGone."""
    original = path_of(upload)
    relative, path = _place()
    try:
        path.hardlink_to(original)
    except OSError:
        shutil.copyfile(original, path)
    return relative, upload.size


def too_large() -> UploadTooLarge:
    """The refusal of a file above the limit."""
    limit = settings.UPLOAD_LIMIT // 1024**2
    return UploadTooLarge(
        _("The file is larger than %(limit)d MB. Split it, or save it as CSV.") % {"limit": limit}
    )


def path_of(upload: ImportFile) -> Path:
    """Where the file lies. Raises UploadGone."""
    path = Path(settings.MEDIA_ROOT) / upload.stored
    if not upload.stored or not path.is_file():
        raise UploadGone(_("The uploaded file is not kept any more. Upload it again."))
    return path


def open_upload(upload: ImportFile) -> Table:
    """The file as a table, read as its `reading` says. A workbook is converted once.

    Raises FileRefused, UploadGone.
    """
    path = path_of(upload)
    return open_table(path, options_of(upload.reading), scratch=path.parent)


def options_of(reading: dict[str, Any]) -> ReadOptions:
    """What of `reading` says how the bytes are read."""
    names = {option.name for option in fields(ReadOptions)}
    return ReadOptions(**{name: value for name, value in reading.items() if name in names})


def reading_of(options: ReadOptions) -> dict[str, Any]:
    """The inverse of `options_of`: what was decided, without what was left open."""
    return {name: value for name, value in asdict(options).items() if value is not None}


def look_at(stored: str) -> None:
    """Raise FileRefused when no reader can read what is kept there."""
    sniff(Path(settings.MEDIA_ROOT) / stored)


def forget(upload: ImportFile) -> None:
    """Remove the file and everything made of it."""
    forget_stored(upload.stored)


def forget_stored(stored: str) -> None:
    """Remove what is kept there, and everything made of it."""
    if stored:
        shutil.rmtree((Path(settings.MEDIA_ROOT) / stored).parent, ignore_errors=True)


__all__ = [
    "FileRefused",
    "UploadGone",
    "UploadTooLarge",
    "forget",
    "forget_stored",
    "look_at",
    "open_upload",
    "options_of",
    "path_of",
    "plain_name",
    "reading_of",
    "store",
    "store_again",
    "too_large",
]
