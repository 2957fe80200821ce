"""Where a file is written until it is whole."""

from __future__ import annotations

import secrets
from pathlib import Path


def beside(target: Path) -> Path:
    """A name beside `target` that nobody else uses. Not by the number of the process: in two
    containers that may be the same."""
    return target.with_name(f"{target.name}.{secrets.token_hex(4)}.partial")
