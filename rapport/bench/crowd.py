"""People and companies as a large organisation has them: namesakes, blanks, shared switchboards,
and three in a hundred of them twice, mistyped. The same in every run."""

from __future__ import annotations

import datetime
import random
import uuid
from collections.abc import Callable, Iterable, Iterator
from itertools import product
from typing import Any

from django.db import connection, transaction

from rapport.actions import journal, people, write
from rapport.actions.people import SETUP
from rapport.meta.batches import batches
from rapport.meta.entity import Draft
from rapport.meta.registry import registry
from rapport.models import Account, Change, Contact, Lead, MatchKey

from . import sample

NOW = sample.NOW
DOUBLES = 0.03
_HEADS = (
    "Bal Ber Bran Cal Cor Dal Del Dor Ed Fal Fer Gar Gol Har Hol Jan Kal Kel Kor Lam Lin".split()
)
_MIDDLES = "a e i o u an en in on er ar el".split()
_TAILS = (
    "bach berg burg dale feld ford gren ham hoff horn kamp ley lund man mark mer ner son".split()
)
_TRADES = (
    "Works Systems Trading Logistics Foods Energy Software Textiles Optics Motors Paper".split()
)
_FORMS = ("GmbH", "AG", "Ltd", "Inc.", "S.A.", "B.V.", "")
_JOBS = ("Buyer", "Sales Manager", "Engineer", "Head of Finance", "Assistant", "CEO", "Consultant")
LAST = [h + m + t for t, h, m in product(_TAILS, _HEADS, _MIDDLES)] + list(sample.LAST)
FIRST = list(sample.FIRST) + [
    (head + tail).title()
    for head in "al an be ca da el fi ge ha is jo ka le ma ni".split()
    for tail in "na ra la lia mir bert win ton ko ella".split()
]
STREETS = [f"{h}{m}{t} {kind}" for kind in ("Street", "Road", "Lane", "Square")
           for h, m, t in product(_HEADS, _MIDDLES[:4], _TAILS[:6])]  # fmt: skip
CITIES = [h + m + t for h, m, t in product(_HEADS, _MIDDLES[:5], ("ton", "ville", "stadt", "by"))]

Values = dict[str, Any]


def fill(contacts: int) -> dict[str, str]:
    """Fill an empty, migrated database: a tenth as many accounts and a twentieth as many leads.
    Who signs in: {'admin': user id}."""
    pick = random.Random(contacts)  # noqa: S311 -- believable data, not secrets
    with transaction.atomic():
        root = people.ensure_organisation("Bench")
        values = {"last_name": "Admin", "email": "admin@bench.example", "business_unit": root}
        admin = people.create_user(values, by=SETUP, roles=("system-administrator",))
    with connection.cursor() as cursor:
        tables = (Account, Contact, Lead, MatchKey, Change)
        indexes = [
            statement for model in tables for statement in sample.drop_indexes(cursor, model)
        ]
        owner = {"owner": admin.pk, "owning_unit": admin.business_unit_id}
        companies = list(_companies(pick, max(1, contacts // 10)))
        _write("account", (values for _id, values in companies), owner, companies)
        _write("contact", _twice(pick, _persons(pick, contacts, companies), contacts), owner)
        _write("lead", _leads(pick, contacts // 20, companies), owner)
        for statement in indexes:
            cursor.execute(statement)
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")
    return {"admin": str(admin.pk)}


def _id(table: int, number: int) -> uuid.UUID:
    """As in the sample: in order of the number."""
    return uuid.UUID(f"0190{table:04x}-0000-7000-8000-{number:012x}")


def _write(
    name: str, made: Iterable[Values], owner: Values, known: list[tuple[Any, Values]] | None = None
) -> None:
    entity = registry[name]
    table = {"account": 11, "contact": 12, "lead": 13}[name]
    number = 0
    op = journal.begin("import", by=SETUP)
    for part in batches(made, 5000):
        drafts = []
        for values in part:
            number += 1
            id_ = known[number - 1][0] if known else _id(table, number)
            drafts.append(Draft(id=id_, values={**owner, **values}))
        with transaction.atomic():
            write.write(entity, drafts, op=op, by=SETUP, now=NOW)
    with transaction.atomic():
        journal.finish(op)


# -- what there is once ---------------------------------------------------------------------------


def _some(pick: random.Random, words: list[str], power: float = 2.0) -> str:
    """One of `words`, the first ones much more often."""
    return words[int(len(words) * pick.random() ** power)]


def _companies(pick: random.Random, count: int) -> Iterator[tuple[uuid.UUID, Values]]:
    last: Values = {}
    for number in range(count):
        first, trade = _some(pick, LAST, 1.3), pick.choice(_TRADES)
        name = f"{first} {_some(pick, LAST, 1.3)} {trade}" if number % 3 else f"{first} {trade}"
        site = name.lower().replace(" ", "-")
        values = {
            "name": f"{name} {pick.choice(_FORMS)}".strip(),
            "website": f"https://www.{site}-{number}.example" if pick.random() < 0.6 else "",
            "main_phone": _phone(pick),
            **_address(pick),
        }
        if number and pick.random() < DOUBLES:
            values = _damaged(pick, last, _COMPANY_DAMAGE)
        last = values
        yield _id(11, number + 1), values


def _phone(pick: random.Random) -> str:
    return f"+49 {pick.randrange(30, 990)} {pick.randrange(1_000_000, 9_999_999)}"


def _address(pick: random.Random) -> Values:
    city = int(len(CITIES) * pick.random() ** 1.5)
    return {
        "address1_line1": f"{_some(pick, STREETS, 1.3)} {pick.randrange(1, 120)}",
        "address1_city": CITIES[city],
        "address1_postal_code": f"{10_000 + city * 40 + pick.randrange(20)}",
    }


def _persons(
    pick: random.Random, count: int, companies: list[tuple[uuid.UUID, Values]]
) -> Iterator[Values]:
    for number in range(count):
        id_, company = pick.choice(companies)
        first, last = _some(pick, FIRST, 1.6), _some(pick, LAST)
        site = company["website"].partition("www.")[2] or "mail.example"
        switchboard = pick.random() < 0.25
        values = {
            "first_name": first,
            "last_name": last,
            "account": id_ if pick.random() < 0.9 else None,
            "job_title": pick.choice(_JOBS) if pick.random() < 0.5 else "",
            "email": "",
            "business_phone": company["main_phone"] if switchboard else "",
            # Who it is: no rule looks at it, and it tells whether what was found is true.
            "employee_id": str(number),
        }
        if pick.random() < 0.7:
            tail = f"{pick.randrange(1000)}" if site == "mail.example" else ""
            values["email"] = f"{first}.{last}{tail}@{site}".lower()
        if not switchboard and pick.random() < 0.6:
            values["business_phone"] = _phone(pick)
        if pick.random() < 0.3:
            values["mobile_phone"] = _phone(pick)
        if pick.random() < 0.5:
            values |= _address(pick)
        if pick.random() < 0.15:
            values["birthday"] = datetime.date(1945, 1, 1) + datetime.timedelta(
                days=pick.randrange(21_000)
            )
        yield values


def _leads(
    pick: random.Random, count: int, companies: list[tuple[uuid.UUID, Values]]
) -> Iterator[Values]:
    for values in _persons(pick, count, companies):
        del values["account"], values["employee_id"]
        company = pick.choice(companies)[1]
        values.pop("birthday", None)
        yield {**values, "topic": "Inquiry", "company": company["name"]}


# -- and what there is twice ----------------------------------------------------------------------


def _twice(pick: random.Random, made: Iterator[Values], count: int) -> Iterator[Values]:
    """`count` of them, some of which are damaged copies of one of the last thousands."""
    lately: list[Values] = []
    for number, values in zip(range(count), made, strict=False):
        if lately and pick.random() < DOUBLES:
            yield damaged_person(pick, pick.choice(lately))
            continue
        if len(lately) < 20_000:
            lately.append(values)
        else:
            lately[number % 20_000] = values
        yield values


def damaged_person(pick: random.Random, values: Values) -> Values:
    """A copy of a person, as somebody else would have typed it in."""
    return _damaged(pick, values, _PERSON_DAMAGE)


def _damaged(
    pick: random.Random, values: Values, ways: tuple[Callable[[random.Random, Values], None], ...]
) -> Values:
    copy = dict(values)
    for way in pick.sample(ways, pick.choice((1, 1, 2, 2, 3))):
        way(pick, copy)
    return copy


def _typo(pick: random.Random, text: str) -> str:
    """A letter lost, doubled, changed, or swapped with the next."""
    if len(text) < 4:
        return text
    at = pick.randrange(1, len(text) - 1)
    head, letter, following, tail = text[:at], text[at], text[at + 1], text[at + 2 :]
    way = pick.randrange(4)
    middle = (following, letter * 2 + following, "e" + following, following + letter)[way]
    return head + middle + tail


def _mistype(name: str) -> Callable[[random.Random, Values], None]:
    def damage(pick: random.Random, values: Values) -> None:
        values[name] = _typo(pick, values.get(name) or "")

    return damage


def _forget(*names: str) -> Callable[[random.Random, Values], None]:
    def damage(_pick: random.Random, values: Values) -> None:
        for name in names:
            if values.get(name):
                values[name] = None if name in {"account", "birthday"} else ""

    return damage


def _swap_names(_pick: random.Random, values: Values) -> None:
    values["first_name"], values["last_name"] = values["last_name"], values["first_name"]


def _initial(_pick: random.Random, values: Values) -> None:
    values["first_name"] = values["first_name"][:1] + "."


def _rewrite_phone(_pick: random.Random, values: Values) -> None:
    for name in ("business_phone", "mobile_phone", "main_phone"):
        if values.get(name):
            values[name] = values[name].replace("+49 ", "0").replace(" ", "/", 1)


def _move(pick: random.Random, values: Values) -> None:
    values.update(_address(pick))


def _other_mail(pick: random.Random, values: Values) -> None:
    values["email"] = f"{values['last_name'].lower()}{pick.randrange(10_000)}@mail.example"


def _other_form(pick: random.Random, values: Values) -> None:
    values["name"] = f"{values['name']} {pick.choice(_FORMS)}".strip()


_PERSON_DAMAGE = (
    _mistype("first_name"), _mistype("last_name"), _mistype("email"), _mistype("address1_line1"),
    _mistype("address1_city"), _swap_names, _initial, _rewrite_phone, _move, _other_mail,
    _forget("email"), _forget("account"), _forget("birthday", "job_title"), _forget("mobile_phone"),
)  # fmt: skip
_COMPANY_DAMAGE = (
    _mistype("name"), _other_form, _forget("website"), _forget("main_phone"), _move, _rewrite_phone,
    _mistype("address1_city"),
)  # fmt: skip
