"""Rows made column by column are those that are made one by one."""

import datetime
import random
from decimal import Decimal

import pytest

from rapport.files.refusal import Message
from rapport.files.rows import Problem, Record
from rapport.imports.compact import TEXTS, Layout, Packer, layout_of
from rapport.imports.mapping import Mapping, Target
from rapport.imports.rows import Converter
from rapport.meta.kinds import Kind, Reading
from rapport.meta.registry import registry

CELLS = {
    "last_name": ("Stone", "Éva", "", " Mill "),
    "first_name": ("Ann", "", "O’Brien"),
    "account": ("Acme Ltd", "", "Twice  twice"),
    "email": ("a@x.example", "", "none", "a@x.example; b@x.example"),
    "website": ("https://x.example", "www.x.example", "", "mailto:x", "a b"),
    "business_phone": ("030 1234567", "", "1 ::: 2"),
    "birthday": ("1980-01-31", "", "31.31.1980"),
    "children_count": ("2", "", "0", "two"),
    "do_not_phone": ("yes", "no", "", "perhaps"),
    "preferred_day": ("Monday", "", "Someday"),
    "description": ("two\nlines", "", " ", "x" * 300),
}


def records(count, seed, *, odd=""):
    """Records of which some have something wrong."""
    pick = random.Random(seed)
    made = []
    for number in range(1, count + 1):
        cells = tuple(pick.choice(texts) for texts in CELLS.values())
        wrong = Message("wrong", {})
        problems = pick.choice([(), (), (), (Problem(2, wrong),), (Problem(None, wrong),)])
        made.append(Record(number, cells, problems))
    if odd:
        made[3] = made[3]._replace(cells=(odd, *made[3].cells[1:]), problems=())
    return made


@pytest.mark.parametrize("odd", ["", "Sto\x1fne", "\x00"])
def test_columns_make_the_same_blocks_as_rows(db, odd):
    mapping = Mapping(
        entity=registry["contact"],
        columns={at: Target(field=n) for at, n in enumerate(CELLS)},
    )
    reading, layout = Reading(), layout_of(mapping)
    packer = Packer(mapping, layout)
    given = records(300, 7, odd=odd)

    by_columns = packer.read(Converter(mapping, reading), given)

    by_rows = packer.block(Converter(mapping, reading).rows(given))
    assert by_columns == by_rows
    compact = [place for place, row in enumerate(by_columns.rows) if row is None]
    assert 0 < len(compact) < len(given)
    rows = Converter(mapping, reading).rows(given)
    for place in compact:
        opened = by_columns.row(place, layout)
        assert (opened.values, opened.links) == (rows[place].values, rows[place].links)


VALUES = {
    Kind.CHOICE: (0, 7),
    Kind.STATE: (0, 1),
    Kind.NUMBER: (0, -5),
    Kind.MONEY: (Decimal("0.00"), Decimal("-12.50")),
    Kind.DATE: (datetime.date(1, 2, 3), datetime.date(1980, 12, 31)),
    Kind.DATETIME: (datetime.datetime(2026, 1, 31, 12, 0, 5, tzinfo=datetime.UTC),) * 2,
    Kind.BOOLEAN: (True, False),
}


@pytest.mark.parametrize("kind", TEXTS)
def test_values_of_a_kind_are_read_as_they_were(kind):
    layout = Layout(("account",), ("one", "text"), frozenset(), ((1, TEXTS[kind]),), ())
    one, other = VALUES[kind]

    packed = layout.pack([["A", "", ""], [one, other, None], ["", None, "é\n"]])

    assert list(map(layout.cells, packed)) == [
        ("A", one, None),
        (None, other, None),
        (None, None, "é\n"),
    ]


class Watched(dict):
    """Remembers who was asked for."""

    def __init__(self, values):
        super().__init__(values)
        self.asked = set()

    def get(self, name, default=None):
        self.asked.add(name)
        return super().get(name, default)

    def __getitem__(self, name):
        self.asked.add(name)
        return super().__getitem__(name)


def test_what_follows_from_others_looks_at_no_more_than_it_says():
    for entity in registry:
        watched = Watched(dict.fromkeys(entity.fields, "x"))
        entity.derive(watched)
        assert watched.asked <= {*entity.derived_from}, entity.name
