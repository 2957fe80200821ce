"""vCards of three versions as records."""

import pytest

from rapport.files import vcardwrite
from rapport.files.detect import sniff
from rapport.files.read import open_table


@pytest.fixture
def read(tmp_path):
    def read(text, encoding="utf-8"):
        path = tmp_path / "cards.vcf"
        path.write_bytes(text.replace("\n", "\r\n").encode(encoding))
        assert sniff(path).format == "vcard"
        with open_table(path) as table:
            return [
                {name: text for name, text in zip(table.columns, record.cells, strict=True) if text}
                for record in table
            ]

    return read


def card(*lines, version="3.0"):
    return "\n".join(["BEGIN:VCARD", f"VERSION:{version}", *lines, "END:VCARD", ""])


def test_dates_of_apple_bear_their_label(read):
    text = card("item1.X-ABDATE:20190220T000035", "item1.X-ABLABEL:_$!<Anniversary>!$_")
    assert read(text) == [{"Anniversary": "2019-02-20"}]


def test_lone_carriage_return_stands_in_a_value(read):
    text = card("FN:Jane Doe", "NOTE:Call\rTel: 12\r\rhome: 3", "TEL:5\rEMAIL:a@x.de")
    assert read(text) == [
        {"Full Name": "Jane Doe", "Notes": "Call\nTel: 12\n\nhome: 3", "Phone": "5",
         "E-mail Address": "a@x.de"},
    ]  # fmt: skip


def test_lines_of_old_macs_end_in_carriage_returns(tmp_path):
    path = tmp_path / "mac.vcf"
    path.write_bytes(b"begin:vcard\rversion:2.1\rfn:Jane\rtel:5\rend:vcard\r")
    with open_table(path) as table:
        assert [record.cells for record in table] == [("Jane", "5")]


def test_names_and_company(read):
    text = card("N:Doe;Jane;Ann,Bea;Dr.;Jr.", "FN:Jane Doe", r"ORG:Acme\, Inc.;Sales;Export")

    assert read(text) == [
        {
            "Last Name": "Doe",
            "First Name": "Jane",
            "Middle Name": "Ann,Bea",
            "Name Prefix": "Dr.",
            "Name Suffix": "Jr.",
            "Full Name": "Jane Doe",
            "Company": "Acme, Inc.",
            "Department": "Sales, Export",
        }
    ]


def test_phones_by_type_and_preferred_mail_first(read):
    text = card(
        "TEL;TYPE=work,voice:1",
        "TEL;TYPE=WORK;TYPE=FAX:2",
        "TEL;CELL:3",
        'TEL;VALUE=uri;TYPE="home,voice":tel:+4',
        "TEL:5",
        "TEL;TYPE=cell:6",
        "EMAIL:a@x",
        "EMAIL;TYPE=internet,pref:mailto:b@x",
        "item1.EMAIL;PREF=1:c@x",
    )

    assert read(text) == [
        {
            "Business Phone": "1",
            "Business Fax": "2",
            "Mobile Phone": "3",
            "Home Phone": "+4",
            "Phone": "5",
            "Mobile Phone 2": "6",
            "E-mail Address": "b@x",
            "E-mail Address 2": "c@x",
            "E-mail Address 3": "a@x",
        }
    ]


def test_addresses(read):
    text = card(
        "ADR;TYPE=work:PO 1;Floor 2;Street 3;Bonn;NRW;53111;Germany",
        r"ADR;TYPE=home:;;A\; B\n2nd line;Köln",
        "ADR:;;X;Y;;;",
        "ADR;TYPE=work:;;Z;;NRW;;DE",
    )

    assert read(text) == [
        {
            "Business Street": "PO 1\nFloor 2\nStreet 3",
            "Business City": "Bonn",
            "Business State": "NRW",
            "Business Postal Code": "53111",
            "Business Country/Region": "Germany",
            "Home Street": "A; B\n2nd line",
            "Home City": "Köln",
            "Street": "X",
            "City": "Y",
            # “Business Street 2” would be the second line of the first one.
            "Address 4 - Street": "Z",
            "Address 4 - Region": "NRW",
            "Address 4 - Country": "DE",
        }
    ]


def test_birthday_without_its_year(read):
    text = card("BDAY;X-APPLE-OMIT-YEAR=1604:1604-06-22")
    assert read(text) == [{"Birthday": "--06-22"}]


def test_folded_lines(read):
    assert read(card("NOTE:ab", " cd", "\tef")) == [{"Notes": "abcdef"}]
    assert read(card("NOTE:ab", " cd", version="2.1")) == [{"Notes": "ab cd"}]
    # Programs that fold as later versions do.
    assert read(card("NOTE:ab", "  cd", version="2.1")) == [{"Notes": "ab cd"}]
    assert read(card("URL:http://x.example", " /y", version="2.1")) == [
        {"Web Page": "http://x.example/y"}
    ]
    assert read(card("NOTE:ab", "forgotten fold")) == [{"Notes": "ab\nforgotten fold"}]


def test_quoted_printable_of_version_2(read):
    text = card(
        "NOTE;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Gr=C3=BC=C3=9Fe=0D=0A=",
        "aus=20K=C3=B6ln",
        version="2.1",
    )

    assert read(text) == [{"Notes": "Grüße\r\naus Köln"}]


def test_encoding_named_by_the_card(read):
    assert read(card("N;CHARSET=windows-1252:Doë;J", version="2.1"), "cp1252") == [
        {"Last Name": "Doë", "First Name": "J"}
    ]
    assert read(card("FN;CHARSET=koi8-r:Иван", version="2.1"), "koi8-r") == [{"Full Name": "Иван"}]


def test_undecodable_bytes_are_a_problem(tmp_path):
    path = tmp_path / "cards.vcf"
    path.write_bytes(card("FN:M\udcfcller \udc81").encode("cp1252", "surrogateescape"))

    with open_table(path) as table:
        (record,) = table

    assert record.cells == ("Müller \\x81",)
    assert [(p.column, str(p.message)) for p in record.problems] == [
        (0, "Not readable in this encoding (bytes 81).")
    ]


def test_pictures_are_one_cell(read):
    text = card("PHOTO;ENCODING=b;TYPE=PNG:iVBO", " Rw0K", "LOGO;VALUE=uri:http://x/l.png")

    assert read(text) == [{"Photo": "data:image/png;base64,iVBORw0K", "Logo": "http://x/l.png"}]


def test_dates_labels_and_unknown_properties(read):
    text = card(
        "BDAY:19801231",
        "item1.X-ABDATE:2001-02-03",
        "item1.X-ABLabel:_$!<Anniversary>!$_",
        "X-SKYPE:me",
        "URL:http\\://x",
    )

    assert read(text) == [
        {
            "Birthday": "1980-12-31",
            "Anniversary": "2001-02-03",
            "X-SKYPE": "me",
            "Web Page": "http://x",
        }
    ]


def test_card_inside_a_card_is_none_of_its_own(read):
    inner = "AGENT:\nBEGIN:VCARD\nVERSION:2.1\nFN:Inner\nEND:VCARD"
    short = "AGENT:BEGIN:VCARD\nFN:Inner\nEND:VCARD"

    for agent in (inner, short):
        assert read(card("FN:Outer", agent, "TITLE:Boss", version="2.1") + card("FN:Next")) == [
            {"Full Name": "Outer", "Job Title": "Boss"},
            {"Full Name": "Next"},
        ]


def test_utf16_and_a_missing_end(read):
    assert read(card("FN:Zoë"), "utf-16") == [{"Full Name": "Zoë"}]
    assert read("BEGIN:VCARD\nFN:Zoë\n") == [{"Full Name": "Zoë"}]


def test_escaped_backslash_escapes_nothing(read):
    assert read(card(r"N:a\\;b\;c;d")) == [
        {"Last Name": "a\\", "First Name": "b;c", "Middle Name": "d"}
    ]


def test_what_other_programs_call_the_same(read):
    text = card(
        "FN:Jane Doe", "X-DEPARTMENT:Sales", "X-EVOLUTION-MANAGER:Bo", "X-ASSISTANT:Cy",
        "X-EVOLUTION-ANNIVERSARY:19910120", "TEL;TYPE=workfax:1", "TEL;TYPE=assistant:2",
        "GENDER:F;Fellow", "X-WAB-SPOUSE_NAME:Di",
    )  # fmt: skip

    assert read(text) == [
        {
            "Full Name": "Jane Doe",
            "Department": "Sales",
            "Manager's Name": "Bo",
            "Assistant's Name": "Cy",
            "Anniversary": "1991-01-20",
            "Business Fax": "1",
            "Assistant's Phone": "2",
            "Gender": "Female",
            "Spouse": "Di",
        }
    ]


def test_line_ends_of_old_cards_may_be_escaped(read):
    text = card(r"NOTE:a\nb\, c", r"TITLE:C:\new", version="2.1")
    assert read(text) == [{"Notes": "a\nb, c", "Job Title": r"C:\new"}]


def test_old_cards_that_escape_as_newer_ones_do_escape_backslashes(read):
    text = card("FN:Jane", r"NOTE:C\\D\, E\nF", r"TITLE:C\\D\;", r"ROLE:D:\\new\,", version="2.1")
    assert read(text) == [
        {"Full Name": "Jane", "Notes": "C\\D, E\nF", "Job Title": r"C\\D;", "Role": r"D:\\new,"}
    ]


def test_what_a_card_says_twice_counts_once(read):
    text = card(
        "FN:Jane", "EMAIL;TYPE=INTERNET:a@x.de", "EMAIL;INTERNET:A@x.de", "EMAIL:b@x.de",
        "TEL;TYPE=WORK:1", "TEL;WORK:1", "TEL;TYPE=HOME:1", "TEL;TYPE=WORK:2",
    )  # fmt: skip
    assert read(text) == [
        {"Full Name": "Jane", "E-mail Address": "a@x.de", "E-mail Address 2": "b@x.de",
         "Business Phone": "1", "Home Phone": "1", "Business Phone 2": "2"}
    ]  # fmt: skip


def test_phone_of_an_assistant_may_say_so_in_its_label(read):
    text = card("FN:Jane", "item1.TEL:5", "item1.X-ABLabel:_$!<AssistantPhone>!$_", "TEL:6")
    assert read(text) == [{"Full Name": "Jane", "Assistant's Phone": "5", "Phone": "6"}]


def test_the_most_preferred_comes_first(read):
    text = card("EMAIL:a@b", "EMAIL;PREF=20:c@d", "EMAIL;PREF=3:e@f", "TEL:1", "TEL;TYPE=pref:2")
    (found,) = read(text)
    assert list(found.values()) == ["2", "e@f", "c@d", "a@b", "1"]


@pytest.mark.parametrize(("quoted", "encoding"), [("M=FCller", "cp1252"), ("M=C3=BCller", "utf-8")])
def test_quoted_letters_tell_their_encoding(read, quoted, encoding, tmp_path):
    text = card(f"N;ENCODING=QUOTED-PRINTABLE:{quoted};Eva", version="2.1")

    assert read(text) == [{"Last Name": "Müller", "First Name": "Eva"}]
    assert sniff(tmp_path / "cards.vcf").encoding.name == encoding


def test_line_ends_of_any_kind_are_written_as_such():
    line = vcardwrite.Line(name="NOTE", values=(("a\rb\r\nc\nd",),))
    assert b"NOTE:a\\nb\\nc\\nd\r\n" in vcardwrite.card([line])


@pytest.mark.parametrize("kind", ["KIND", "X-ADDRESSBOOKSERVER-KIND"])
def test_group_is_no_person(tmp_path, kind):
    path = tmp_path / "cards.vcf"
    path.write_text(
        card(r"FN:Bo\, Eva", f"{kind}:group") + card("FN:Eva Bo", f"{kind}:individual"), "utf-8"
    )
    with open_table(path) as table:
        said = [record.problem and str(record.problem) for record in table]

    assert said == ["“Bo, Eva” is a group of other cards, not a person or company.", None]
