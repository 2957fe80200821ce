"""How much a file may ask of this machine before it is refused."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds against bombs and mistakes, far above what an honest list of customers needs."""

    columns: int = 16_384  # as many as Excel has
    cell_characters: int = 4_000_000  # a picture inside a cell still fits
    zip_members: int = 10_000
    zip_bytes: int = 8 * 1024**3  # unpacked, all members together
    zip_ratio: int = 250  # honest sheets stay below 100, deflate's bombs reach 1,000
    zip_ratio_from: int = 32 * 1024**2  # small members may be as repetitive as they like
    workbook_seconds: float = 900.0
    workbook_memory: int = 6 * 1024**3  # address space of the process that reads a workbook
    xml_depth: int = 100
    json_whole: int = 64 * 1024**2  # a JSON document that is no JSON lines is read at once


LIMITS = Limits()
