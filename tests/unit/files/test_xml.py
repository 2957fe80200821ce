"""XML Spreadsheet 2003 and ordinary XML."""

import pytest

from rapport.files.detect import Sheet, sniff
from rapport.files.read import ReadOptions, open_table
from rapport.files.refusal import FileRefused

SS = (
    '<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?>'
    '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"'
    ' xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">%s</Workbook>'
)


@pytest.fixture
def file(tmp_path):
    def write(text, encoding="utf-8"):
        path = tmp_path / "file.xml"
        path.write_bytes(text.encode(encoding))
        return path

    return write


def sheet(rows, name="S"):
    return SS % f'<Worksheet ss:Name="{name}"><Table>{rows}</Table></Worksheet>'


def cell(text, kind="String", attributes=""):
    return f'<Cell {attributes}><Data ss:Type="{kind}">{text}</Data></Cell>'


def plain(table):
    return [(record.number, record.cells) for record in table]


def code(path, **options):
    with pytest.raises(FileRefused) as refused:
        list(open_table(path, ReadOptions(**options)))
    return refused.value.code


def test_spreadsheet_cells_and_rows_may_be_left_out(file):
    third = cell("3", attributes='ss:Index="3"')
    merged = cell("x", attributes='ss:MergeAcross="1"')
    path = file(
        sheet(
            f"<Row>{cell('a')}{cell('b')}{cell('c')}</Row>"
            f"<Row ss:Index='4'>{cell('1')}{third}</Row>"
            f"<Row>{merged}{cell('y')}</Row>"
        )
    )

    with open_table(path) as table:
        assert table.columns == ("a", "b", "c")
        assert plain(table) == [(4, ("1", "", "3")), (5, ("x", "", "y"))]


def test_spreadsheet_types(file):
    cells = [
        cell("1234.5600000000001", "Number"),
        cell("12.0", "Number"),
        cell("2020-01-31T00:00:00.000", "DateTime"),
        cell("2020-01-31T10:20:30.000", "DateTime"),
        cell("1899-12-31T10:20:00.000", "DateTime"),
        cell("1", "Boolean"),
        cell("<B xmlns='http://www.w3.org/TR/REC-html40'>bo</B>ld"),
        cell("6083", "Number", "ss:StyleID='z'"),
        cell("#N/A", "Error"),
    ]
    styles = '<Styles><Style ss:ID="z"><NumberFormat ss:Format="00000"/></Style></Styles>'
    header = "".join(cell(name) for name in "abcdefghi")
    text = sheet(f"<Row>{header}</Row><Row>{''.join(cells)}</Row>")

    with open_table(file(text.replace("<Worksheet", styles + "<Worksheet"))) as table:
        (record,) = table

    assert record.cells == (
        *("1234.56", "12", "2020-01-31", "2020-01-31 10:20:30", "10:20:00", "true", "bold"),
        *("06083", "#N/A"),
    )
    assert [(p.column, str(p.message)) for p in record.problems] == [
        (8, "The workbook has the error #N/A here.")
    ]


def test_spreadsheet_formula_without_a_result_is_a_problem(file):
    rows = f"<Row>{cell('a')}{cell('b')}</Row><Row>{cell('x')}<Cell ss:Formula='=RC[-1]'/></Row>"

    with open_table(file(sheet(rows))) as table:
        (record,) = table

    assert (record.cells, [problem.column for problem in record.problems]) == (
        ("x", "=RC[-1]"),
        [1],
    )


def test_spreadsheet_sheets_are_listed_and_chosen(file):
    hidden = "<WorksheetOptions><Visible>SheetHidden</Visible></WorksheetOptions>"
    path = file(
        SS
        % (
            f'<Worksheet ss:Name="A &amp; B"><Table ss:ExpandedRowCount="1"><Row>{cell("h")}</Row>'
            f"</Table>{hidden}</Worksheet>"
            '<Worksheet ss:Name="Empty"><Table/></Worksheet>'
            f'<Worksheet ss:Name="C"><Table ss:ExpandedRowCount="2"><Row>{cell("i")}</Row></Table>'
            "</Worksheet>"
        )
    )

    assert sniff(path).sheets == (
        Sheet(name="A & B", rows=1, hidden=True),
        Sheet(name="Empty", rows=0),
        Sheet(name="C", rows=2),
    )
    assert open_table(path).columns == ("i",)
    assert open_table(path, ReadOptions(sheet="A & B")).columns == ("h",)


@pytest.mark.parametrize(
    "rows",
    [
        "<Row ss:Index='3'/><Row ss:Index='2'/>",
        "<Row ss:Index='2000000'/>",
        "<Row><Cell ss:Index='99999'/></Row>",
        "<Row>",
    ],
)
def test_spreadsheet_that_makes_no_sense_is_damaged(file, rows):
    assert code(file(sheet(rows))) == "damaged"


def test_records_are_what_repeats(file):
    path = file(
        '<?xml version="1.0"?><export made="today"><info><by>Me</by></info><people>'
        '<person id="7"><name>Ann</name><address><city>Bonn</city>'
        "<zip>053111</zip></address></person>"
        '<person id="8"><name>Bob</name><email>b@x</email><email>c@x</email></person>'
        "</people></export>"
    )

    assert sniff(path).elements[0] == ("export/people/person", 2)
    with open_table(path) as table:
        assert table.columns == ("id", "name", "address/city", "address/zip", "email", "email 2")
        assert plain(table) == [
            (1, ("7", "Ann", "Bonn", "053111", "", "")),
            (2, ("8", "Bob", "", "", "b@x", "c@x")),
        ]
        assert table.unit == "record"


@pytest.mark.parametrize(
    ("text", "columns", "cells"),
    [
        ("<a><b><c>1</c><d>2</d></b></a>", ("c", "d"), [("1", "2")]),
        ("<b><c>1</c><d/></b>", ("c", "d"), [("1", "")]),
        ("<a><b><c>1</c><d><e>2</e></d></b></a>", ("c", "d/e"), [("1", "2")]),
        ("<a><b><c>1</c></b><d><e>2</e></d></a>", ("b/c", "d/e"), [("1", "2")]),
        ("<a><b><c_x0020_d>1</c_x0020_d></b></a>", ("c d",), [("1",)]),
        ('<r><i n="1"/><i n="2"/></r>', ("n",), [("1",), ("2",)]),
        ("<r><i>x</i><i>y</i></r>", ("i",), [("x",), ("y",)]),
        ("<r><i>t<b>u</b> v</i><i>w</i></r>", ("i", "b"), [("t v", "u"), ("w", "")]),
        ("<r><i a='1'>x</i><i/><i a='2'/></r>", ("a", "i"), [("1", "x"), ("2", "")]),
        # One record, of which something is there twice.
        (
            "<people><person><n>A</n><a><c>1</c></a><a><c>2</c></a></person></people>",
            ("n", "a/c", "a/c 2"),
            [("A", "1", "2")],
        ),
        ("<r><p><n>A</n><m>1</m><m t='x'>2</m></p></r>", ("n", "m", "m/t", "m 2"), None),
        ("<note><to>A</to><to>B</to><by>C</by><on>D</on></note>", ("to", "to 2", "by", "on"), None),
        ("<c><n>A</n><l>B</l><ps><p>1</p><p>2</p></ps></c>", ("n", "l", "ps/p", "ps/p 2"), None),
        (
            "<feed><id>7</id><entry><id>1</id><m a='x'/><m a='y'/></entry></feed>",
            ("id", "m/a", "m", "m/a 2", "m 2"),
            None,
        ),
        ("<ps><p><n><f>A</f><s>B</s><s>C</s></n></p></ps>", ("n/f", "n/s", "n/s 2"), None),
        # Several below one, which has a title or is no record itself.
        ("<l><title>T</title><i>x</i><i>y</i></l>", ("i",), [("x",), ("y",)]),
        ("<ps><p k='a'><r><n>A</n></r><r><n>B</n></r></p></ps>", ("n",), [("A",), ("B",)]),
        ("<r><x><no>2</no><p n='A'/><p n='B'/></x></r>", ("n",), [("A",), ("B",)]),
    ],
)
def test_shapes_of_records(file, text, columns, cells):
    with open_table(file(text)) as table:
        found = [record.cells for record in table]
        assert (table.columns, found if cells else len(found)) == (columns, cells or 1)


def test_a_schema_beside_the_records_is_none(file):
    path = file(
        "<root xmlns:x='http://www.w3.org/2001/XMLSchema'><x:schema><x:element name='all'/>"
        "<x:element name='one'/></x:schema><all><one><n>A</n></one><one><n>B</n></one></all></root>"
    )
    with open_table(path) as table:
        assert (table.columns, [record.cells for record in table]) == (("n",), [("A",), ("B",)])


def test_records_have_fields_that_say_their_names(file):
    path = file(
        "<dump><structure><field Field='a'/><field Field='b'/><field Field='c'/></structure>"
        "<data><row><field name='a'>1</field></row><row><field name='a'>2</field></row></data>"
        "</dump>"
    )
    with open_table(path) as table:
        assert (table.columns, [record.cells for record in table]) == (("a",), [("1",), ("2",)])


def test_values_of_a_card_say_of_what_kind_they_are(file):
    path = file(
        "<vcards xmlns='urn:ietf:params:xml:ns:vcard-4.0'><vcard><fn><text>A B</text></fn>"
        "<n><surname>B</surname><given>A</given></n><tel><uri>tel:+1</uri></tel></vcard></vcards>"
    )
    with open_table(path) as table:
        assert table.columns == ("fn", "n/surname", "n/given", "tel")
        assert [record.cells for record in table] == [("A B", "B", "A", "tel:+1")]


@pytest.mark.parametrize("before", ["", "\n", "\ufeff \r\n"])
@pytest.mark.parametrize("said", ["", " encoding='UTF-8'", ' encoding="utf-16"'])
def test_what_web_programs_do_to_the_beginning_is_read(file, before, said):
    path = file(f"{before}<?xml version='1.0'{said}?><r><i>ä</i><i>y</i></r>")
    with open_table(path) as table:
        assert [record.cells for record in table] == [("ä",), ("y",)]


def test_filemaker_says_once_what_the_cells_of_all_rows_are(file):
    path = file(
        "<FMPXMLRESULT xmlns='urn:f'><METADATA><FIELD NAME='N'/><FIELD NAME='M'/></METADATA>"
        "<RESULTSET><ROW ID='1'><COL><DATA>A</DATA></COL>"
        "<COL><DATA>1</DATA><DATA>2</DATA><DATA/></COL></ROW></RESULTSET></FMPXMLRESULT>"
    )
    with open_table(path) as table:
        assert (table.columns, next(iter(table)).cells) == (("N", "M", "M 2"), ("A", "1", "2"))


@pytest.mark.parametrize(
    ("text", "columns", "cells"),
    [
        (
            """<s><r><field name="N"><data>A</data><data>B</data></field></r></s>""",
            ("N", "N 2"),
            ("A", "B"),
        ),
        (
            """<odoo><record id="p1" model="m"><field name="name">Acme</field>
            <field name="country" ref="base.de"/><field name="about"><b>x</b></field>
            </record></odoo>""",
            ("record/id", "record/model", "name", "country", "about/b"),
            ("p1", "m", "Acme", "base.de", "x"),
        ),
        (
            """<entities><entity name="account"><records><record id="1">
            <field name="name" value="A"/><field name="city" value=""/>
            </record></records></entity></entities>""",
            ("record/id", "name", "city"),
            ("1", "A", ""),
        ),
        (
            '<r><row no="1"><FL val="Last Name">Bo</FL></row><row no="2"/></r>',
            ("row/no", "Last Name"),
            ("1", "Bo"),
        ),
        (
            '<t name="crm"><r name="x"><column name="name">Acme</column></r><r name="x"/></t>',
            ("r/name", "name"),
            ("x", "Acme"),
        ),
        # Not fields: records that have a name beside other things.
        ('<l><col name="a" wide="3"/><col name="b" wide="4"/></l>', ("name", "wide"), ("a", "3")),
    ],
)  # fmt: skip
def test_fields_may_say_their_names(file, text, columns, cells):
    with open_table(file(text)) as table:
        assert (table.columns, next(iter(table)).cells) == (columns, cells)


def test_element_can_be_chosen(file):
    path = file(
        "<r><a><x>1</x></a><a><x>2</x></a><b><y>3</y></b><b><y>4</y></b><b><y>5</y></b></r>"
    )

    assert sniff(path).elements == (("r/b", 3), ("r/a", 2))
    assert open_table(path, ReadOptions(element="r/a")).columns == ("x",)
    assert code(path, element="r/c") == "element"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE r [<!ENTITY x "y">]><r><i>&x;</i><i/></r>',
        '<!DOCTYPE r SYSTEM "http://127.0.0.1/x.dtd"><r><i/><i/></r>',
        "<!-- <r> --><!DOCTYPE r><r><i/><i/></r>",
    ],
)
def test_document_types_are_refused(file, text, encoding):
    path = file(f'<?xml version="1.0" encoding="{encoding}"?>{text}', encoding)

    assert code(path) == "doctype"


def test_document_type_that_is_hidden_in_its_letters_is_refused(file):
    inner = "+ADwAIQ-DOCTYPE r +AFsAPAAh-ENTITY +ACU x SYSTEM +ACI-y+ACIAPgAlx+ADsAJQ-z+ADsAXQA+"
    assert code(file(f'<?xml version="1.0" encoding="UTF-7"?>\n{inner}')) == "doctype"


def test_document_type_after_a_long_comment_is_refused(file):
    path = file(
        f"<?xml version='1.0'?><!--{'x' * 70_000}--><!DOCTYPE r [<!ENTITY a 'b'>]><r>&a;</r>"
    )

    assert code(path) == "doctype"


def test_document_type_is_refused_before_any_parsing(file):
    path = file(
        sheet(f"<Row>{cell('a')}</Row>").replace("<Workbook", "<!DOCTYPE Workbook><Workbook")
    )

    with pytest.raises(FileRefused) as refused:
        sniff(path)

    assert refused.value.code == "doctype"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<?xml version='1.0'?><a><b></a>", "damaged"),
        ("<?xml version='1.0' encoding='nonsense'?><a/>", "damaged"),
        ("<a>&nbsp;</a>", "entity"),
        (f"{'<a>' * 200}{'</a>' * 200}", "damaged"),
        ("<!DOCTYPE html><html><table><tr><td>1</td></tr></table></html>", "web-page"),
        ("<r>text</r>", "empty"),
        ("<table border=1><tr><td>1</td></tr></table>", "web-page"),
        ("version: 1\n# of\ndn: cn=Ann,o=x\nsn: Hill\n", "no-table"),
        ("<html xmlns:x='urn:x'><body><table/></body></html>", "web-page"),
    ],
)
def test_what_is_no_table_is_refused(file, text, expected):
    assert code(file(text)) == expected


def test_markup_in_the_first_cell_is_still_csv(file):
    path = file("<b>Name</b>,x\n1,2\n")

    assert sniff(path).format == "csv"
