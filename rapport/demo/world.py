"""What the demo knows of the world: countries, companies, names, words. From the files in data/."""

from __future__ import annotations

import random
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from rapport.meta.folding import fold

DATA = Path(__file__).parent / "data"


@cache
def data(name: str) -> dict[str, Any]:
    """One of the files."""
    return tomllib.loads((DATA / f"{name}.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True, kw_only=True)
class Town:
    """A town with its postal code and its area code."""

    name: str
    postal_code: str
    area: str


@dataclass(frozen=True, kw_only=True)
class Country:
    """A country. `unit`: who looks after it. `street`, `phone`, `mobile`: how they are written."""

    code: str
    name: str
    unit: str
    currency: str
    towns: tuple[Town, ...]
    streets: tuple[str, ...]
    street: str
    phone: str
    mobile: str

    def number(self, pattern: str, town: Town, dice: random.Random) -> str:
        """A telephone number by `pattern`."""
        return pattern.format(area=town.area, a=dice.randrange(100), b=dice.randrange(100))

    def address(self, town: Town, dice: random.Random) -> dict[str, str]:
        """Field values of an address in `town`."""
        street = self.street.format(street=dice.choice(self.streets), number=dice.randrange(1, 180))
        return {
            "address1_line1": street,
            "address1_postal_code": town.postal_code,
            "address1_city": town.name,
            "address1_country": self.name,
        }


@cache
def country(code: str) -> Country:
    """The country of that code."""
    found = dict(data("places")[code])
    towns = tuple(Town(name=n, postal_code=p, area=a) for n, p, a in found.pop("towns"))
    streets = tuple(found.pop("streets"))
    return Country(code=code, towns=towns, streets=streets, **found)


@dataclass(frozen=True, kw_only=True)
class Company:
    """A customer to be. `parent`: name of the company that it belongs to."""

    name: str
    country: Country
    industry: int
    employees: int
    parent: str = ""

    @property
    def is_large(self) -> bool:
        """Whether the team of key accounts owns it."""
        return self.employees > 450


def customers() -> list[Company]:
    """All companies, parents before their daughters."""
    found = []
    for code, lines in data("companies")["customers"].items():
        for line in lines.splitlines():
            name, industry, employees = line.split("; ")
            found.append(
                Company(
                    name=name,
                    country=country(code),
                    industry=int(industry),
                    employees=int(employees),
                )
            )
    by_name = {company.name: company for company in found}
    for daughter in data("companies")["daughters"]:
        parent = by_name[daughter["parent"]]
        found.append(
            Company(
                name=daughter["name"],
                country=country(daughter["country"]),
                industry=parent.industry,
                employees=60,
                parent=parent.name,
            )
        )
    return found


def prospects() -> list[tuple[Country, str]]:
    """Where leads work: (country, company)."""
    return [
        (country(code), name)
        for code, names in data("companies")["prospects"].items()
        for name in names
    ]


def slug(text: str) -> str:
    """'Ateliers Mécaniques & Fils' -> 'ateliers-mecaniques-fils'."""
    return re.sub(r"[^a-z0-9]+", "-", fold(text)).strip("-")


_LEGAL = re.compile(
    r"\b(gmbh|kg|ag|sas|sa|sarl|sp z o o|s a|s l|s c|s p a|s r l|b v|nv|bvba|ltd|llp|llc|inc|eg|ab"
    r"|company|ltda|co(?! op))\b"
)


def domain(company: str) -> str:
    """A web address of the company, below a name that is reserved for examples."""
    words = _LEGAL.sub(" ", re.sub(r"[^a-z0-9]+", " ", fold(company)))
    return f"{slug(words) or slug(company)}.example"
