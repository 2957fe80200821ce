"""Deep in a large file: places of records are noted once, and lead to the same records."""

import codecs
from collections import deque
from itertools import chain, zip_longest

import pytest

from rapport.files.places import Places
from rapport.files.read import ReadOptions, open_table

ROWS = 4200
HEADER = "Name,Note,Town"


def people(end="\n", note="wrote: “ja”{n}{end}and more"):
    """So many records, of several lines each, with blank ones among them."""
    lines = [HEADER]
    for n in range(ROWS):
        said = note.format(n=n, end=end)
        lines.append("" if n % 97 == 5 else f'P{n},"{said}",Köln')
    return end.join(lines)


FILES = {
    "utf-8": people().encode(),
    "with a mark": codecs.BOM_UTF8 + people("\r\n").encode() + b"\r\n",
    "cp1252": people(note="ach{n}").encode("cp1252"),
    "not clean": people().encode() + b"\nL\x00,\xff,K\xf6ln",
    "never closed": people().encode() + b'\nLast,"open',
    "blank for long": (people() + "\n" * 3000 + "Last,,").encode(),
}


def kept(folder):
    return list(folder.glob("*.places"))


@pytest.mark.parametrize("name", FILES)
def test_from_a_place_on_the_same_is_read(name, tmp_path):
    file = tmp_path / "list.csv"
    file.write_bytes(FILES[name])
    plain = open_table(file)
    every = list(plain)

    assert list(open_table(file, plain.options, scratch=tmp_path)) == every

    (noted,) = kept(tmp_path)
    assert len(Places.load(noted).numbers) >= 4
    table = open_table(file, plain.options, scratch=tmp_path)
    for after in (0, 1, 999, 1000, 1001, 2500, ROWS - 1, ROWS + 9):
        found = [record for batch in table.iter_batches(700, after=after) for record in batch]
        assert found == [record for record in every if record.number > after]
    wanted = {2, 3, 1000, 1001, 1002, 4000, ROWS, ROWS + 50}
    assert list(table.pick(wanted)) == [record for record in every if record.number in wanted]


@pytest.mark.parametrize(
    "content",
    [people(note="a\rb{n}").encode(), ("sep=,\n" + people()).encode(), people().encode("utf-16")],
    ids=["other line ends", "sep line", "two bytes"],
)
def test_where_lines_cannot_be_told_apart_nothing_is_noted(content, tmp_path):
    file = tmp_path / "list.csv"
    file.write_bytes(content)
    table = open_table(file, scratch=tmp_path)
    every = list(table)
    assert (len(every) > ROWS - 100, kept(tmp_path)) == (True, [])
    assert list(table.pick({4000})) == [record for record in every if record.number == 4000]


def test_another_file_or_another_dialect_has_places_of_its_own(tmp_path):
    file = tmp_path / "list.csv"
    file.write_bytes(FILES["utf-8"])
    list(open_table(file, scratch=tmp_path))
    other = open_table(file, ReadOptions(quote=""), scratch=tmp_path)
    assert list(other) == list(open_table(file, ReadOptions(quote="")))
    file.write_bytes(FILES["with a mark"])
    list(open_table(file, scratch=tmp_path))
    assert len(kept(tmp_path)) == 3


class Turn:
    """One of two who read by turns."""

    def __init__(self, ours, theirs, *, first=False):
        self.first, self.told, self.heard = first, ours, theirs

    def wait(self):
        return self.heard.popleft()

    def tell(self, place):
        self.told.append(place)


OTHERS = {
    "sep line": ("sep=,\n" + people()).encode(),
    "two bytes": people("\r\n").encode("utf-16"),
    "other line ends": people("\r", note="a{n}").encode(),
}


@pytest.mark.parametrize("content", [*FILES.values(), *OTHERS.values()], ids=[*FILES, *OTHERS])
@pytest.mark.parametrize("after", [0, 1500])
def test_two_who_read_by_turns_read_all(content, after, tmp_path):
    file = tmp_path / "list.csv"
    file.write_bytes(content)
    table = open_table(file, scratch=tmp_path)
    one, other = deque(), deque()
    turns = [Turn(one, other, first=True), Turn(other, one)]
    readers = [table.shared(900, turn, after=after) for turn in turns]

    found = list(chain.from_iterable(zip_longest(*readers, fillvalue=[])))
    assert len(kept(tmp_path)) == (content not in OTHERS.values())
    again = open_table(file, table.options, scratch=tmp_path)
    every = list(open_table(file))

    assert list(chain.from_iterable(found)) == [one for one in every if one.number > after]
    assert max(map(len, found)) <= 900
    assert list(again.pick({4000})) == [one for one in every if one.number == 4000]
