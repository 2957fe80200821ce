"""Zip archives, opened with suspicion: bounds on members, sizes and ratio; no path is ever used."""

from __future__ import annotations

import errno
import lzma
import re
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, NamedTuple

from rapport.files.limits import LIMITS, Limits
from rapport.files.refusal import FileRefused, Message, damaged, gettext_noop

# What zipfile and its decompressors raise on bytes that only look like an archive.
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    NotImplementedError,
    ValueError,
    KeyError,
    IndexError,
    OverflowError,
    RuntimeError,
)
_BLOCK = 1 << 20
_TAG = 4096
_LITTER = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")


@dataclass(frozen=True, kw_only=True)
class Member:
    """One file of an archive. `format` is None for what is no table, which `why` says: a picture, a
    PDF."""

    name: str
    size: int
    format: str | None = None
    why: Message | None = field(default=None, compare=False)


@contextmanager
def honest() -> Iterator[None]:
    """What reading a forged archive raises, as a refusal; an error of the disk stays what it is."""
    try:
        yield
    except _BROKEN as error:
        raise damaged(error) from error
    except OSError as error:
        # A forged table of contents makes zipfile seek to where no file can be; bzip2 tells of
        # damage without a number.
        if error.errno not in {None, errno.EINVAL}:
            raise
        raise damaged(error) from error


@contextmanager
def opened(path: Path, limits: Limits = LIMITS) -> Iterator[zipfile.ZipFile]:
    """The archive, after its table of contents has been found bearable."""
    with honest():
        archive = zipfile.ZipFile(path)
    with archive:
        _check(archive, limits)
        yield archive


def _check(archive: zipfile.ZipFile, limits: Limits) -> None:
    members = archive.infolist()
    total = sum(member.file_size for member in members)
    packed = sum(member.compress_size for member in members)
    too_repetitive = total > limits.zip_ratio_from and total > packed * limits.zip_ratio
    if len(members) > limits.zip_members or total > limits.zip_bytes or too_repetitive:
        raise FileRefused(
            "bomb",
            gettext_noop(
                "The archive would unpack to %(megabytes)d MB (files: %(members)d), "
                "which is more than is safe."
            ),
            gettext_noop("Unpack it yourself and import the files one by one."),
            members=len(members),
            megabytes=total // 1024**2,
        )
    if any(member.flag_bits & 0x1 for member in members):
        raise encrypted()


def encrypted() -> FileRefused:
    return FileRefused(
        "encrypted",
        gettext_noop("The file is protected by a password."),
        gettext_noop("Save a copy without a password and import that."),
    )


def members(archive: zipfile.ZipFile) -> list[Member]:
    """The files inside, without folders and what file managers leave behind."""
    found = [
        Member(name=info.filename, size=info.file_size)
        for info in archive.infolist()
        if info.filename
        and not info.filename.endswith("/")
        and not any(litter in info.filename for litter in _LITTER)
    ]
    names = Counter(member.name for member in found)
    if name := next((name for name, count in names.items() if count > 1), ""):
        # By their name only the last of them can be had.
        raise FileRefused(
            "twice",
            gettext_noop("The archive holds several files with the name “%(name)s”."),
            gettext_noop("Unpack it, give them names of their own, and pack them again."),
            name=name[:200],
        )
    return found


def read_member(archive: zipfile.ZipFile, name: str, limit: int = 64 * 1024**2) -> bytes:
    """A small member whole; a larger one is no honest part of a workbook."""
    data = head(archive, name, limit + 1)
    if len(data) > limit:
        raise damaged(name)
    return data


def head(archive: zipfile.ZipFile, name: str, size: int) -> bytes:
    with honest(), archive.open(name) as member:
        return member.read(size)


class Sought(NamedTuple):
    """A pattern, which is no longer than a tag. Without any of the `signs` it does not occur: to
    look for them is much quicker."""

    pattern: re.Pattern[bytes]
    signs: Collection[bytes]


def search(stream: IO[bytes], *sought: Sought) -> bool:
    """Whether any of these occurs."""
    tail = b""
    with honest():
        while block := stream.read(_BLOCK):
            text = tail + block
            for pattern, signs in sought:
                if any(sign in text for sign in signs) and pattern.search(text):
                    return True
            tail = block[-_TAG:]
    return False


def extract(archive: zipfile.ZipFile, name: str, target: Path, at_most: int | None = None) -> None:
    """Copy a member, or its beginning. zipfile stops at the size that was checked."""
    with honest(), archive.open(name) as member, target.open("wb") as out:
        left = archive.getinfo(name).file_size if at_most is None else at_most
        while left > 0 and (block := member.read(min(left, _BLOCK))):
            left -= len(block)
            out.write(block)
