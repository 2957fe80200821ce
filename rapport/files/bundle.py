"""A zip of tables and files with a manifest that says what must be in it, to the byte."""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from rapport.files.archive import encrypted, honest
from rapport.files.jsonrecords import nests_too_deep
from rapport.files.limits import LIMITS
from rapport.files.refusal import FileRefused, damaged, gettext_noop

MANIFEST = "manifest.json"
# Plain names below two folders: nothing that could lead elsewhere.
_NAME = re.compile(
    r"manifest\.json|tables/[a-z0-9_]+\.jsonl|files/(?:[A-Za-z0-9_-]+/)*[A-Za-z0-9_-]+"
)
_BLOCK = 1 << 20
_MANIFEST_BYTES = 256 * 1024**2
_LINE_BYTES = 256 * 1024**2


class BundleWriter:
    """Members in any order, each as a stream; the manifest comes last, when all is known."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._archive = zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=3)
        self._members: dict[str, dict[str, Any]] = {}

    @contextmanager
    def member(self, name: str) -> Iterator[_Member]:
        with self._archive.open(name, "w", force_zip64=True) as stream:
            made = _Member(stream)
            yield made
        self._members[name] = {"bytes": made.size, "sha256": made.digest.hexdigest()}

    def close(self, **said: Any) -> None:
        """Write the manifest: `said`, and what the members are."""
        manifest = said | {"members": self._members}
        self._archive.writestr(MANIFEST, json.dumps(manifest, indent=1, ensure_ascii=False))
        self._archive.close()


class _Member:
    """A file of the bundle while it is written."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.size = 0
        self.digest = hashlib.sha256()

    def write(self, data: bytes) -> None:
        self._stream.write(data)
        self.digest.update(data)
        self.size += len(data)


class Bundle:
    """A bundle whose every byte has been found to be the one that was written."""

    def __init__(self, archive: zipfile.ZipFile, manifest: Mapping[str, Any]) -> None:
        self._archive = archive
        self._reading: IO[bytes] | None = None
        self.manifest = manifest

    @property
    def files(self) -> list[str]:
        """Names of the files, without the folder that they all stand in."""
        return [n.removeprefix("files/") for n in self.manifest["members"] if n[:6] == "files/"]

    def lines(self, name: str) -> Iterator[bytes]:
        """The lines of a member."""
        with honest(), self._archive.open(name) as member:
            self._reading = member
            while line := member.readline(_LINE_BYTES):
                yield line

    def copy(self, file: str, target: Path) -> None:
        """A file to where it belongs."""
        with honest(), self._archive.open(f"files/{file}") as member, target.open("wb") as out:
            while block := member.read(_BLOCK):
                out.write(block)

    def close(self) -> None:
        """Let go of what was not read to its end."""
        if self._reading is not None:
            self._reading.close()


@contextmanager
def opened(path: Path, *, format: str, version: int) -> Iterator[Bundle]:
    """The bundle at `path`, checked to the last byte before any of it is used.

    Raises FileRefused when it is no such bundle, of another version, damaged or not honest.
    """
    size = path.stat().st_size
    if not zipfile.is_zipfile(path):
        raise _no_bundle()
    with honest():
        archive = zipfile.ZipFile(path)
    with archive:
        _check_contents(archive, size)
        manifest = _manifest(archive)
        if not isinstance(manifest, dict) or manifest.get("format") != format:
            raise _no_bundle()
        if manifest.get("version") != version:
            raise FileRefused(
                "version",
                gettext_noop(
                    "The file has version %(found)s of this format; this reads %(known)d."
                ),
                gettext_noop("Use the version of Rapport that made it, or a newer one."),
                found=str(manifest.get("version"))[:20],
                known=version,
            )
        _check_members(archive, manifest)
        bundle = Bundle(archive, manifest)
        try:
            yield bundle
        finally:
            bundle.close()


def _no_bundle() -> FileRefused:
    return FileRefused(
        "no-backup",
        gettext_noop("This is no backup of Rapport, or only a part of one."),
        gettext_noop("Choose a file that `rapport backup` made, whole."),
    )


def _check_contents(archive: zipfile.ZipFile, size: int) -> None:
    """The table of contents alone: names that lead nowhere else, sizes that can be true."""
    members = archive.infolist()
    names = [member.filename for member in members]
    if any(member.flag_bits & 0x1 for member in members):
        raise encrypted()
    if len(set(names)) != len(names):
        raise damaged("a name comes twice")
    for name in names:
        if not _NAME.fullmatch(name):
            raise damaged(f"no file may be called “{name[:80]}”")
    packed = sum(member.compress_size for member in members)
    total = sum(member.file_size for member in members)
    if packed > size or (total > LIMITS.zip_ratio_from and total > packed * LIMITS.zip_ratio):
        raise FileRefused(
            "bomb",
            gettext_noop("The file would unpack to %(megabytes)d MB, which cannot be true."),
            gettext_noop("Take another copy of the backup."),
            megabytes=total // 1024**2,
        )


def _manifest(archive: zipfile.ZipFile) -> Any:
    if MANIFEST not in archive.namelist():
        raise _no_bundle()
    with honest(), archive.open(MANIFEST) as member:
        data = member.read(_MANIFEST_BYTES)
    try:
        text = data.decode()
        if not nests_too_deep(text):
            return json.loads(text)
    except ValueError:
        pass
    raise damaged(MANIFEST)


def _check_members(archive: zipfile.ZipFile, manifest: Mapping[str, Any]) -> None:
    said = manifest.get("members")
    if not isinstance(said, dict) or {*said, MANIFEST} != set(archive.namelist()):
        raise damaged("not the files that the manifest names")
    for name, facts in said.items():
        digest = hashlib.sha256()
        size = 0
        with honest(), archive.open(name) as member:
            while block := member.read(_BLOCK):
                digest.update(block)
                size += len(block)
        if not isinstance(facts, dict) or facts != {"bytes": size, "sha256": digest.hexdigest()}:
            raise damaged(name)
