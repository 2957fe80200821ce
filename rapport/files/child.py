"""The process that reads one workbook and ends. Started by convert, never imported."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from rapport import processes
from rapport.files import workbook
from rapport.files.convert import NO_MEMORY
from rapport.files.refusal import FileRefused


def main(arguments: list[str]) -> None:
    parent, memory, question = arguments
    # What a worker has begun that was killed is begun again by the next one.
    processes.end_with(int(parent))
    _bound_memory(int(memory))
    try:
        answer = _answer(json.loads(question))
    except MemoryError:
        sys.exit(NO_MEMORY)
    except FileRefused as refused:
        answer = {
            "refused": {
                "code": refused.code,
                "reason": refused.reason.template,
                "remedy": refused.remedy.template,
                "values": dict(refused.reason.values),
            }
        }
    sys.stdout.write(json.dumps(answer))


def _answer(question: dict[str, Any]) -> dict[str, Any]:
    if "sheets" in question:
        path, kind = question["sheets"]
        return {"sheets": workbook.list_sheets(Path(path), kind)}
    path, kind, sheet, target = question["convert"]
    return workbook.convert(Path(path), kind, sheet, Path(target)).as_json()


def _bound_memory(size: int) -> None:
    try:
        import resource  # not on Windows, where only the time-out protects
    except ImportError:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    bounds = [size] if hard == resource.RLIM_INFINITY else [size, hard]
    resource.setrlimit(resource.RLIMIT_AS, (min(bounds), hard))


if __name__ == "__main__":
    main(sys.argv[1:])
