"""Workbooks of before 2007: what their reader does not tell."""

import struct
import zipfile

import pytest

from rapport.files import binarycells, oldcells
from rapport.files.canonical import marked
from rapport.files.detect import format_of
from rapport.files.read import FileRefused, open_table

FREE, LAST, TABLE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
ERROR = struct.pack("<BBBBHH", 2, 0, 7, 0, 0, 0xFFFF)


def record(kind, body=b""):
    return struct.pack("<HH", kind, len(body)) + body


def cell(kind, row, column, body):
    return record(kind, struct.pack("<HHH", row, column, 0) + body)


def text(row, column, letters):
    return cell(0x0204, row, column, struct.pack("<HB", len(letters), 0) + letters)


BOOK, SHEET, CHART = (record(0x0809, struct.pack("<HH12x", 0x0600, n)) for n in (5, 16, 32))
END = record(0x000A)


def records(cells=b"", locked=b"", styles=b""):
    """One sheet with a column for each of a, b, c, and these cells."""
    name = b"\0\0\1\0S"
    at = len(BOOK) + len(locked) + len(styles) + 8 + len(name) + len(END)
    sheet = record(0x0085, struct.pack("<I", at) + name)
    header = b"".join(text(0, column, letter) for column, letter in enumerate([b"a", b"b", b"c"]))
    # A chart inside of the sheet has records of its own.
    inside = CHART + cell(0x0205, 1, 0, b"\x2a\1") + END
    return BOOK + locked + styles + sheet + END + SHEET + inside + header + cells + END


@pytest.fixture
def old_book(tmp_path):
    """`old_book(stream)`: a workbook that is nothing but this stream, in sectors of 512 bytes; what
    is `small` stands in sectors of 64."""

    def write(stream, *, small=False, table=None):
        length = len(stream) if small else max(len(stream), 4096)
        sectors = -(-length // 512)
        # The table of sectors, the directory, the small sectors' table, and the stream.
        chain = [3 + n for n in range(1, sectors)] + [LAST]
        fat = table or [TABLE, LAST, LAST, *chain]
        fat = [*fat, *[FREE] * (128 - len(fat))]
        smalls = [n + 1 for n in range(length // 64)] + [LAST]
        smalls += [FREE] * (128 - len(smalls))
        entries = [
            ("Root Entry", 5, 3 if small else LAST, sectors * 512),
            ("Workbook", 2, 0 if small else 3, length),
        ]
        head = struct.pack(
            "<8s16xHHHHH10x8I109I", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 62, 3, 0xFFFE,
            9, 6, 1, 1, 0, 4096, 2, 1, LAST, 0, 0, *[FREE] * 108,
        )  # fmt: skip
        directory = b"".join(
            struct.pack(
                "<64sHBBIII36xIQ", name.encode("utf-16-le"), len(name) * 2 + 2, kind, 1,
                FREE, FREE, FREE if kind == 2 else 1, first, size,
            )
            for name, kind, first, size in entries
        )  # fmt: skip
        path = tmp_path / "book.xls"
        path.write_bytes(
            b"".join(
                part.ljust(-(-len(part) // 512) * 512, b"\0")
                for part in (
                    head,
                    struct.pack("<128I", *fat),
                    directory,
                    struct.pack("<128I", *smalls),
                    stream.ljust(length, b"\0"),
                )
            )
        )
        return path

    return write


@pytest.mark.parametrize("small", [False, True])
def test_errors_are_problems_of_their_cells(old_book, small):
    cells = (
        cell(0x0203, 1, 0, struct.pack("<d", 1))
        + cell(0x0205, 1, 1, b"\x2a\1")
        + cell(0x0006, 1, 2, ERROR + bytes(6) + b"\0\0")
        + cell(0x0205, 2, 0, b"\1\0")
        + cell(0x0006, 2, 1, bytes([2, 0, 0, 0, 0, 0, 0xF0, 0x3F]) + bytes(8))
        + text(2, 2, b"x")
    )

    with open_table(old_book(records(cells), small=small)) as table:
        found = [(r.cells, [p.column for p in r.problems]) for r in table]

    assert found == [(("1", "#N/A", "#DIV/0!"), [1, 2]), (("true", "1", "x"), [])]


def styled(*formats):
    """A style for each of the formats, which begin at the number 50, and days from 1904."""
    named = [
        record(0x041E, struct.pack("<HHB", number, len(text), 0) + text)
        for number, text in enumerate(formats, 50)
    ]
    styles = [record(0x00E0, struct.pack("<HH16x", 0, 50 + n)) for n in range(len(formats))]
    return b"".join([record(0x0022, b"\1\0"), *named, *styles])


def test_formats_and_formulas_that_other_programs_write(old_book):
    """Numbers takes the number of a format of its own that Excel has for something else, and the
    records of formulas of earlier versions."""

    def result(kind, row, column, value, style=0):
        return record(kind, struct.pack("<HHH", row, column, style) + value + bytes(8))

    day, text_follows = struct.pack("<d", 38352.5), bytes(6) + b"\xff\xff"
    cells = (
        record(0x0203, struct.pack("<HHHd", 1, 0, 0, 14.5))
        + record(0x027E, struct.pack("<HHHI", 1, 1, 1, 38353 << 2 | 2))
        + result(0x0006, 1, 2, day, style=1)
        + result(0x0206, 2, 0, struct.pack("<d", 3))
        + result(0x0406, 2, 1, text_follows)
        + record(0x0207, struct.pack("<HB", 2, 1) + "Öl".encode("utf-16-le"))
        + result(0x0206, 2, 2, b"\1\0\1\0\0\0\xff\xff")
        + record(0x00BD, struct.pack("<HHHIHIH", 3, 0, 0, 250 << 2 | 3, 2, 0x3FE80000, 1))
    )
    styles = styled(b'0.0 "days"', b"mmm d, yyyy", b"[h]:mm")

    with open_table(old_book(records(cells, styles=styles))) as table:
        found = [record.cells for record in table]

    assert found == [
        ("14.5", "2009-01-02", "2009-01-01 12:00:00"), ("3", "Öl", "true"), ("2.5", "18:00:00", ""),
    ]  # fmt: skip


def test_codes_keep_the_zeros_that_are_shown(old_book):
    cells = record(0x0203, struct.pack("<HHHd", 1, 0, 0, 1234)) + record(
        0x027E, struct.pack("<HHHI", 1, 1, 1, 12345678 << 2 | 2)
    )
    styles = styled(b"00000", b"000-00-0000")

    with open_table(old_book(records(cells, styles=styles))) as table:
        assert [record.cells[:2] for record in table] == [("01234", "012-34-5678")]
        assert len(table.notes) == 1


def test_locked_workbook_is_told(old_book):
    with pytest.raises(FileRefused) as refused:
        format_of(old_book(records(locked=record(0x002F, bytes(6)))))
    assert refused.value.code == "encrypted"


def test_sectors_in_a_circle_have_an_end(old_book):
    path = old_book(records(), table=[TABLE, LAST, LAST, 4, 3])
    assert oldcells.told(path, 0) == oldcells.Told({})


def test_errors_of_binary_workbooks_are_told(tmp_path):
    """The library reads them as blank. 0x9C and its like have two bytes."""

    def part(*records):
        return b"".join(kind + bytes([len(body)]) + body for kind, body in records)

    def words(text):
        return struct.pack("<I", len(text)) + text.encode("utf-16-le")

    sheet = struct.pack("<II", 0, 1) + words("rId2") + words("List")
    cell = struct.pack("<II", 2, 0)
    links = '<Relationships><Relationship Id="{}" Type="x/{}" Target="{}"/></Relationships>'
    path = tmp_path / "book.xlsb"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("_rels/.rels", links.format("", "officeDocument", "xl/workbook.bin"))
        made.writestr("xl/workbook.bin", part((b"\x9c\1", sheet)))
        target = links.format("rId2", "worksheet", "worksheets/sheet7.bin")
        made.writestr("xl/_rels/workbook.bin.rels", target)
        made.writestr(
            "xl/worksheets/sheet7.bin",
            part(
                (b"\x81\3", b""), (b"\0", struct.pack("<I", 4) + bytes(13)),
                (b"\3", cell + b"\x2a"), (b"\7", bytes(12)),
                (b"\0", struct.pack("<I", 9)), (b"\x0b", cell + b"\7" + bytes(4)),
            ),
        )  # fmt: skip

    assert binarycells.told(path, "List") == {
        (4, 2): marked("error", "#N/A"), (9, 2): marked("error", "#DIV/0!"),
    }  # fmt: skip
    assert binarycells.told(path, "Other") == {}
