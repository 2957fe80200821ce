"""Small files of every format that is text, and ways to damage them."""

from hypothesis import strategies as st

PIECES = st.sampled_from(
    [
        *(b'"', b"'", b",", b";", b"\t", b"|", b"\r", b"\n", b"\r\n", b"\0", b"\\", b" "),
        *(b"a", b"\xff", b"\x81", b"\xc3\xa4", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"),
        *(b"sep=;", b"<a>", b"</a>", b"<a b='c'/>", b"<?xml version='1.0'?>", b"<!DOCTYPE a>"),
        *(b"BEGIN:VCARD", b"END:VCARD", b"N:", b"TEL;TYPE=x:", b"=3D", b";ENCODING=B:", b"{}"),
        *(b'{"a":', b"1}", b"[", b"]", b"&x;", b"'=", b"(Do Not Modify)"),
        *(b"\xd0\xcf\x11\xe0", b"PK\x05\x06", b"%PDF"),
    ]
)


SHEET = b"urn:schemas-microsoft-com:office:spreadsheet"
WHOLE = (
    b'sep=;\r\n"a";"b ""c"""\r\n"1\n2";\xc3\xa4\r\n' * 3,
    "a\tb\n\u010d\t\u0434\n".encode("utf-16"),
    b"BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=C3=BC;A\r\n"
    b"item1.TEL;TYPE=work:1\r\nADR;HOME:;;a;b;;c;d\r\nPHOTO;ENCODING=b:AAAA\r\n BBBB\r\n"
    b"BDAY:--0412\r\nEND:VCARD\r\n" * 2,
    b'{"a": {"b": [1, {"c": null}]}, "d": 1e5}\n{"a": "\\u00e4"}\n',
    b'{"value": [{"a": 1}, {"b": 2}]}',
    b'<?xml version="1.0" encoding="utf-8"?><a><r x="1"><b>2</b><![CDATA[<c>]]></r><r/></a>',
    b'<Workbook xmlns="' + SHEET + b'" xmlns:ss="' + SHEET + b'"><Styles><Style ss:ID="s">'
    b'<NumberFormat ss:Format="000"/></Style></Styles><Worksheet ss:Name="S"><Table>'
    b'<Row ss:Index="2"><Cell ss:Index="2" ss:StyleID="s"><Data ss:Type="Number">7</Data></Cell>'
    b'<Cell><Data ss:Type="DateTime">2020-01-31T00:00:00</Data></Cell></Row></Table></Worksheet>'
    b"</Workbook>",
)
# Where, how much is taken out, and what is put in, several times.
DAMAGES = st.lists(
    st.tuples(
        st.integers(0, 10_000), st.sampled_from([0, 1, 4, 60]), PIECES | st.binary(max_size=4)
    ),
    min_size=1,
    max_size=4,
)


def damaged(data, damages):
    for place, out, put in damages:
        place %= len(data) + 1
        data = data[:place] + put + data[place + out :]
    return data
