"""A list of people as another program exports it: 15 columns, ten people a company. Text, not
records: what imports are measured with. The same in every run."""

from __future__ import annotations

import csv
import datetime
import random
from collections.abc import Iterator
from pathlib import Path

from rapport.files.write import Column, xlsx_writer
from rapport.meta.batches import batches

from .crowd import CITIES, FIRST, LAST, STREETS

HEADER = (
    "First Name", "Last Name", "Email", "Company Name", "Job Title", "Business Phone",
    "Mobile Phone", "Address 1: Street 1", "Address 1: City", "Address 1: ZIP/Postal Code",
    "Address 1: Country/Region", "Department", "Website", "Birthday", "Description",
)  # fmt: skip
# So many people to a company, on average.
PEOPLE = 10
ACCENTED = (
    "Müller",
    "Søndergaard",
    "O'Neill",
    "García-López",
    "Nováková",
    "von der Heide",
    "Łuczak",
)
TRADES = "Works Systems Trading Logistics Foods Energy Software Textiles Optics Motors".split()
FORMS = ("GmbH", "AG", "Ltd", "Inc.", "S.A.", "B.V.", "& Co. KG")
JOBS = ("Buyer", "Sales Manager", "Engineer", "Head of Finance", "Assistant", "CEO", "Consultant")
DEPARTMENTS = ("Purchasing", "Sales", "Research", "Finance", "Production", "Human Resources", "IT")
COUNTRIES = ("Germany", "Austria", "France", "Spain", "Italy", "Poland", "United Kingdom", "USA")
NOTES = (
    "Met at the fair in {city}; wants a quotation, and soon.",
    'Prefers calls in the morning. Says "send it by mail first".',
    "Has bought from us before ({year}), knows the older models; asks for spare parts.",
    "Newsletter",
    "Decides together with purchasing.\nNext meeting after the holidays.",
    "Asked about delivery times, terms of payment and a visit of our engineer in {city}.",
)


def people(count: int, *, seed: int = 15) -> Iterator[tuple[str, ...]]:
    """`count` rows under `HEADER`."""
    pick = random.Random(seed)  # noqa: S311 -- believable data, not secrets
    born = datetime.date(1945, 1, 1)
    chance, some = pick.random, pick.choice
    for _number in range(count):
        at = int(chance() * max(1, count // PEOPLE))
        name, site = company(at)
        first = FIRST[int(len(FIRST) * chance() ** 1.6)]
        last = LAST[int(len(LAST) * chance() ** 1.3)] if chance() < 0.96 else some(ACCENTED)
        city = int(len(CITIES) * chance() ** 1.5)
        birthday = born + datetime.timedelta(days=int(chance() * 21_000))
        yield (
            first,
            last,
            f"{first}.{last.replace(' ', '')}@{site}".lower() if chance() < 0.95 else "",
            name,
            some(JOBS),
            _phone(pick, "+49 {} {}") if chance() < 0.9 else _phone(pick, "0{}/{}"),
            _phone(pick, "+49 1{} {}") if chance() < 0.8 else "",
            f"{STREETS[int(len(STREETS) * chance() ** 1.3)]} {1 + int(chance() * 120)}",
            CITIES[city],
            str(10_000 + city * 40 + int(chance() * 20)),
            some(COUNTRIES),
            some(DEPARTMENTS),
            f"https://www.{site}" if chance() < 0.9 else "",
            birthday.isoformat() if chance() < 0.85 else "",
            some(NOTES).format(city=CITIES[city], year=birthday.year + 40),
        )


def company(number: int) -> tuple[str, str]:
    """Name and site of a company; no two numbers have the same."""
    size = len(LAST)
    first, second = LAST[number % size], LAST[(number // size * 97 + number * 13) % size]
    trade, form = TRADES[number % len(TRADES)], FORMS[number * 3 % len(FORMS)]
    return f"{first} {second} {trade} {form}", f"{first}-{second}.example".lower()


def _phone(pick: random.Random, shape: str) -> str:
    return shape.format(30 + int(pick.random() * 900), 1_000_000 + int(pick.random() * 8_999_999))


def write_list(path: Path, count: int) -> None:
    """The list as CSV, or as a workbook where the name says so. Whole or not there."""
    if path.exists():
        return
    part = path.with_suffix(".part")
    if path.suffix == ".xlsx":
        with part.open("wb") as stream:
            writer = xlsx_writer(stream, [Column(name=name) for name in HEADER], sheet="People")
            for batch in batches(people(count), 5000):
                writer.write_columns(list(zip(*batch, strict=True)))
            writer.close()
    else:
        with part.open("w", encoding="utf-8", newline="") as stream:
            table = csv.writer(stream)
            table.writerow(HEADER)
            table.writerows(people(count))
    part.replace(path)
