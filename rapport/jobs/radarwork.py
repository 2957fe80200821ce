"""What the radar computes, in the worker or in processes of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rapport.duplicates import blocks, shelf
from rapport.duplicates.pairs import Alike, Judges

# Pairs of which it is remembered that they were told.
TOLD = 500_000
# Records that are made ready in one go.
SHELVED_AT_ONCE = 20_000


@dataclass(slots=True)
class _Bench:
    """What a process keeps between the tasks of one job."""

    job: str = ""
    judges: Judges | None = None
    # Pairs that were told before: many share several keys.
    told: set[int] = field(default_factory=set)


_bench = _Bench()


def judges_of(job: str, folder: str = "") -> Judges:
    """The judges of a job, made when it first asks."""
    if _bench.job != job or _bench.judges is None:
        leave_bench()
        _bench.job, _bench.judges = job, Judges()
        here = Path(folder) / _bench.judges.made_of
        if folder and here.is_dir():
            _bench.judges.shelf = shelf.Shelf(here)
    return _bench.judges


def leave_bench() -> None:
    """Forget the job of which this process had something."""
    if _bench.judges is not None and _bench.judges.shelf is not None:
        _bench.judges.shelf.close()
    _bench.job, _bench.judges = "", None
    _bench.told.clear()


def learn(job: str, key: str) -> tuple[str, dict[str, Any]]:
    """What the records teach about the rule with this key."""
    judges = judges_of(f"{job} learns")
    rule = next(rule for rule in judges.weighed() if rule.key == key)
    return key, judges.learn(rule).to_json()


def spans(job: str) -> list[tuple[int, str, str]]:
    """All the records, in parts to make ready."""
    return list(judges_of(f"{job} shelves").spans(SHELVED_AT_ONCE))


def shelve(job: str, folder: str, number: int, span: tuple[int, str, str]) -> None:
    """Make some of the records ready for all who search."""
    judges = judges_of(f"{job} shelves")
    here = Path(folder) / judges.made_of
    here.mkdir(exist_ok=True)
    code, after, upto = span
    judges.put_on_shelf(code, here / f"{number:06}.values", after, upto)


def bind(job: str, folder: str) -> None:
    """Make one index of all records that are ready."""
    here = Path(folder) / judges_of(f"{job} shelves").made_of
    if here.is_dir():
        shelf.bind(here)


def search(
    job: str, folder: str, part: int, parts: int
) -> tuple[list[Alike], int, list[tuple[int, int]]]:
    """The pairs that are alike by the keys of one part, how many were judged, and the keys that
    too many records have."""
    judges = judges_of(job, folder)
    few, crowded = blocks.shared(*blocks.part_of(part, parts))
    pairs = blocks.pairs(few, judges.compared)
    if len(_bench.told) > TOLD:
        _bench.told.clear()
    alike = judges.judge([pair for pair in pairs if hash(pair) not in _bench.told])
    _bench.told.update(hash((one.one, one.other)) for one in alike)
    return alike, len(pairs), crowded
