"""Every format but CSV becomes a canonical file first, a workbook in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from rapport.files.canonical import Converted
from rapport.files.detect import WORKBOOKS, Sheet
from rapport.files.limits import Limits
from rapport.files.refusal import FileRefused, damaged, gettext_noop

NO_MEMORY = 3  # exit code of the child
_PACKAGE = Path(__file__).resolve().parents[2]


def convert(
    path: Path,
    kind: str,
    target: Path,
    *,
    limits: Limits,
    part: str | None,
    encoding: str = "utf-8",
) -> Converted:
    """Write `target` from `path`. `part` is a sheet of a workbook or the path of an XML element."""
    if kind in WORKBOOKS:
        found = _ask_child({"convert": [str(path), kind, part, str(target)]}, limits)
        return Converted.from_json(found)
    return _convert_here(path, kind, target, part, encoding)


def _convert_here(
    path: Path, kind: str, target: Path, part: str | None, encoding: str
) -> Converted:
    # Each format loads its own libraries, only when it is read.
    if kind == "xml-ss2003":
        from rapport.files import spreadsheetml

        return spreadsheetml.convert(path, part, target)
    if kind == "xml":
        from rapport.files import xmlrecords

        return xmlrecords.convert(path, part, target)
    if kind == "vcard":
        from rapport.files import vcard

        return vcard.convert(path, encoding, target)
    from rapport.files import jsonrecords

    return jsonrecords.convert(path, encoding, target)


def sheets_by_child(path: Path, kind: str, limits: Limits) -> tuple[Sheet, ...]:
    found = _ask_child({"sheets": [str(path), kind]}, limits)
    return tuple(Sheet(**sheet) for sheet in found["sheets"])


def _ask_child(question: dict[str, Any], limits: Limits) -> dict[str, Any]:
    """One question to a process that ends with the answer, so that its memory goes back."""
    command = [sys.executable, "-P", "-m", "rapport.files.child"]
    bounds = [str(os.getpid()), str(limits.workbook_memory)]
    environment = {**os.environ, "PYTHONPATH": str(_PACKAGE), "PYTHONIOENCODING": "utf-8"}
    with tempfile.TemporaryFile() as answer:
        try:
            done = subprocess.run(
                [*command, *bounds, json.dumps(question)],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=answer,
                stderr=subprocess.DEVNULL,
                timeout=limits.workbook_seconds,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise _too_much() from error
        answer.seek(0)
        text = answer.read()
    if done.returncode == 0:
        return _answer(text)
    # A panic of the library ends with 1, a refused allocation with a signal.
    starved = done.returncode < 0 or done.returncode == NO_MEMORY
    raise _too_much() if starved else damaged("workbook")


def _answer(text: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    refused = found.get("refused")
    if refused:
        raise FileRefused(
            refused["code"], refused["reason"], refused["remedy"], **refused["values"]
        )
    return found


def _too_much() -> FileRefused:
    return FileRefused(
        "too-much",
        gettext_noop("Reading this workbook needs more time or memory than is allowed."),
        gettext_noop("Save the sheet as CSV and import that: CSV has no such limit."),
    )
