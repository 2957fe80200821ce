"""How well duplicates are told: precision, recall and F1 on sets of which the truth is known.

The same keys, rules, weights and judges as everywhere; the index of keys is a dictionary here, so
that no database is needed. Nothing is set for a set: the weights are learned from its records.
"""

from __future__ import annotations

import csv
import os
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import inf
from pathlib import Path
from typing import Any

from .figures import Figure, at_least, shown

GOAL, GOAL_WITHOUT_BIRTHDAY = 0.995, 0.99
SETS = "labelled/febrl*.csv"
# Names of columns in public sets, by field of a contact; a column may bear the field's own name.
COLUMNS = {
    "first_name": ("given_name", "firstname", "fname"),
    "last_name": ("surname", "lastname", "lname", "family_name"),
    "address1_line2": ("address_2",),
    "address1_city": ("suburb", "city", "town"),
    "address1_postal_code": ("postcode", "zip", "zip_code", "postal_code"),
    "address1_state_or_province": ("state",),
    "birthday": ("date_of_birth", "dob", "birthdate"),
    "email": ("email_address", "mail"),
    "business_phone": ("phone_number", "phone", "telephone"),
    "account": ("company", "organisation", "organization"),
}
STREET = ("street_number", "address_1", "street", "address")
TRUTH = ("cluster", "cluster_id", "true_id", "entity_id")


@dataclass(frozen=True)
class Labelled:
    """A set of records. `truth`: pairs of places in it that are one person; `sources`: only pairs
    across two of them count."""

    name: str
    values: list[dict[str, str]]
    names: list[dict[str, str]]
    sources: list[str]
    truth: frozenset[tuple[int, int]]


@dataclass(frozen=True)
class Result:
    """What came out."""

    candidates: int
    blocked: float
    precision: float
    recall: float
    seconds: float

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def measure(paths: Sequence[str] = ()) -> Iterator[Figure]:
    """Figures of the sets in `paths`; without any, of those among the real files. A line of each
    is printed too, because the figures have four places."""
    _set_up()
    for path in map(Path, paths or _usual()):
        found = read(path)
        ours = not paths
        for without in ((), ("birthday",)):
            if without and not any("birthday" in values for values in found.values):
                continue
            result = judge(found, without=without)
            name = f"{found.name}{', no birth date' if without else ''}"
            print(
                f"{name:<40} {len(found.values):>7,} records {result.candidates:>8,} candidates "
                f"({result.blocked:.4f} of the truth)  precision {result.precision:.4f}  "
                f"recall {result.recall:.4f}  F1 {result.f1:.4f}  {result.seconds:.1f} s"
            )
            goal = GOAL_WITHOUT_BIRTHDAY if without else GOAL
            figure = f"F1 of {name}"
            yield (
                at_least(figure, 100 * result.f1, 100 * goal, "%")
                if ours
                else shown(figure, 100 * result.f1, "%")
            )


def _set_up() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rapport.config.settings")
    django.setup()
    from rapport.duplicates import rules

    # The rules that ship, whatever the database of this installation says.
    rules.take((), until=inf)


def _usual() -> list[str]:
    folder = os.environ.get("RAPPORT_TEST_FILES", "")
    found = sorted(map(str, Path(folder).glob(SETS))) if folder else []
    if not found:
        raise SystemExit("rapport bench: name the files, or RAPPORT_TEST_FILES, their folder")
    return found


def read(path: Path) -> Labelled:
    """The labelled records of a CSV file."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    if not rows:
        raise SystemExit(f"rapport bench: {path} has no records")
    truth = next((name for name in TRUTH if name in rows[0]), None)
    if truth is None:
        raise SystemExit(f"rapport bench: {path} has no column {' or '.join(TRUTH)}")
    values = [_values(row) for row in rows]
    names = [{"account": one.pop("account")} if "account" in one else {} for one in values]
    sources = [row.get("source") or "" for row in rows]
    is_linked = len(set(sources)) > 1
    clusters: dict[str, list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        clusters[row[truth]].append(place)
    pairs = (pair for places in clusters.values() for pair in combinations(places, 2))
    kept = (p for p in pairs if not is_linked or sources[p[0]] != sources[p[1]])
    return Labelled(path.stem, values, names, sources if is_linked else [], frozenset(kept))


def _values(row: Mapping[str, str]) -> dict[str, str]:
    plain = {name.strip().lower(): (text or "").strip() for name, text in row.items() if name}
    found = {}
    for field, others in COLUMNS.items():
        for name in (field, *others):
            if plain.get(name):
                found[field] = plain[name]
                break
    street = " ".join(plain[name] for name in STREET if plain.get(name))
    if street := plain.get("address1_line1") or street:
        found["address1_line1"] = street
    same = ("email2", "mobile_phone", "home_phone", "middle_name")
    return found | {name: plain[name] for name in same if plain.get(name)}


def judge(found: Labelled, *, without: Sequence[str] = ()) -> Result:
    """Find, learn and judge as the radar does."""
    from rapport.duplicates import weights
    from rapport.duplicates.features import Shape
    from rapport.duplicates.judge import Judge, strongest
    from rapport.duplicates.learn import learn
    from rapport.duplicates.rules import published
    from rapport.meta.registry import registry

    started = time.perf_counter()
    contact = registry["contact"]
    rules = [rule for rule in published("contact") if rule.matching == "contact"]
    shape = Shape(contact, rules)
    values = [{n: v for n, v in one.items() if n not in without} for one in found.values]
    records = [shape.prepare(*one) for one in zip(values, found.names, strict=True)]
    candidates = _candidates(contact, values, found.names)
    pairs = [(records[one], records[other]) for one, other in candidates]
    judges = []
    for rule in rules:
        learned = (
            learn(rule, (shape, shape), (records, records), pairs)
            if rule.weighed
            else weights.starting(rule)
        )
        judges.append(Judge(rule, shape, shape, learned))
    counted = {
        pair
        for pair in candidates
        if not found.sources or found.sources[pair[0]] != found.sources[pair[1]]
    }
    alike = {
        (one, other) for one, other in counted if strongest(judges, records[one], records[other])
    }
    right = len(alike & found.truth)
    return Result(
        candidates=len(counted),
        blocked=len(counted & found.truth) / max(len(found.truth), 1),
        precision=right / max(len(alike), 1),
        recall=right / max(len(found.truth), 1),
        seconds=time.perf_counter() - started,
    )


def _candidates(
    entity: Any, values: Sequence[Mapping[str, str]], names: Sequence[Mapping[str, str]]
) -> set[tuple[int, int]]:
    from rapport.duplicates.keys import HELD_BY, keys

    blocks: dict[int, list[int]] = defaultdict(list)
    for place, one in enumerate(zip(values, names, strict=True)):
        for key in keys(entity, *one):
            blocks[key].append(place)
    return {
        pair
        for places in blocks.values()
        if len(places) <= HELD_BY
        for pair in combinations(places, 2)
    }
