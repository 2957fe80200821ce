"""OpenDocument sheets that must be read by ourselves: flat, indented, with formulas and errors."""

import zipfile

import pytest

from rapport.files.detect import Sheet, sniff
from rapport.files.read import ReadOptions, open_table
from rapport.files.refusal import FileRefused

NAMES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for name in ("office", "table", "text", "style")
)
MIMETYPE = "application/vnd.oasis.opendocument.spreadsheet"
STYLES = """<office:automatic-styles><style:style style:name="off" style:family="table">
  <style:table-properties table:display="false"/></style:style></office:automatic-styles>"""


def cell(inside="", /, **attributes):
    """A cell as programs that indent write it: value-type="float" value="1" in the office's
    namespace, other attributes in the table's."""
    named = " ".join(
        f'{"office" if "value" in key else "table"}:{key.replace("_", "-")}="{text}"'
        for key, text in attributes.items()
    )
    if not inside:
        return f"<table:table-cell {named}/>"
    return f"<table:table-cell {named}>\n {inside}\n</table:table-cell>"


def text(value):
    return cell(f"<text:p>{value}</text:p>", value_type="string")


def row(*cells, repeated=1):
    inside = "\n".join(cells)
    return f'<table:table-row table:number-rows-repeated="{repeated}">{inside}\n</table:table-row>'


def sheet(name, *rows, style=""):
    inside = "\n".join(rows)
    return f'<table:table table:name="{name}" table:style-name="{style}">{inside}\n</table:table>'


@pytest.fixture(params=["flat", "packed"])
def save(request, tmp_path):
    """`save(sheets)`: one XML file, or the archive that programs make of it."""

    def saved(*sheets):
        path = tmp_path / "book"
        root = "document" if request.param == "flat" else "document-content"
        xml = (
            f'<?xml version="1.0"?><office:{root} {NAMES} office:mimetype="{MIMETYPE}">\n{STYLES}'
            f"<office:body>\n<office:spreadsheet>\n{''.join(sheets)}\n</office:spreadsheet>\n"
            f"</office:body></office:{root}>"
        )
        if request.param == "flat":
            path.write_text(xml, "utf-8")
        else:
            with zipfile.ZipFile(path, "w") as made:
                made.writestr("mimetype", MIMETYPE)
                made.writestr("META-INF/manifest.xml", "<manifest/>")
                made.writestr("content.xml", xml)
        return path

    return saved


def test_cells_of_every_kind(save):
    path = save(
        sheet("Off", row(text("x")), style="off"),
        sheet(
            "People",
            row(text("Name")),
            row(cell(number_columns_repeated=16384), repeated=3),
            row(
                text('Ann <text:s text:c="2"/> Hill\n   of<text:line-break/>Acme'),
                cell("<text:p>1.234,50</text:p>", value_type="float", value="1234.50"),
                cell("<text:p>1.2.20</text:p>", value_type="date", date_value="2020-02-01"),
                cell("<text:p>x</text:p>", value_type="time", time_value="PT27H05M00.5S"),
                cell("<text:p>WAHR</text:p>", value_type="boolean", boolean_value="true"),
                cell("<text:p>a</text:p><text:p>b</text:p>", value_type="string"),
                cell(formula="of:=IF(1;2;3)"),
                cell("<text:p/>", formula="of:=&quot;&quot;"),
                cell("<text:p>#N/A</text:p>", value_type="error"),
            ),
            row(text("twice"), repeated=2),
            row(cell(), repeated=1_048_000),
        ),
    )  # fmt: skip

    assert sniff(path).sheets == (
        Sheet(name="Off", rows=1, hidden=True),
        Sheet(name="People", rows=7),
    )
    with open_table(path, ReadOptions(sheet="People")) as table:
        records = list(table)
    assert [(r.number, r.cells) for r in records] == [
        (
            5,
            (
                "Ann    Hill of\nAcme", "1234.5", "2020-02-01", "27:05:00", "true", "a\nb",
                "of:=IF(1;2;3)", "", "#N/A",
            ),
        ),
        (6, ("twice", *[""] * 8)),
        (7, ("twice", *[""] * 8)),
    ]  # fmt: skip
    assert [problem.column for problem in records[0].problems] == [6, 8]


def test_whole_numbers_keep_the_zeros_that_are_shown(save):
    shown = [("1234", "01234"), ("12345678", "012-34-5678"), ("0", "00"), ("5", "0.50"), ("7", "7")]
    path = save(
        sheet(
            "S",
            row(text("A")),
            *(row(cell(f"<text:p>{p}</text:p>", value_type="float", value=v)) for v, p in shown),
        )
    )
    with open_table(path) as table:
        found = [record.cells[0] for record in table]
        notes = len(table.notes)
    assert (found, notes) == (["01234", "012-34-5678", "00", "5", "7"], 1)


def test_more_rows_than_a_sheet_has_are_refused(save):
    path = save(sheet("S", row(text("a"), repeated=9_999_999)))

    with pytest.raises(FileRefused) as refused:
        open_table(path)

    assert refused.value.code == "damaged"
