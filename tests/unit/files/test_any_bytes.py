"""Whatever a file holds: a table or a refusal, never another error, and no lost or forged text."""

import io
import zipfile

from hypothesis import HealthCheck, given, settings, strategies as st

from rapport.files.detect import sniff
from rapport.files.read import open_table
from rapport.files.refusal import FileRefused
from rapport.files.write import Column, xlsx_writer

QUICK = settings(deadline=None, max_examples=300, suppress_health_check=list(HealthCheck))
SLOW = settings(deadline=None, max_examples=15, suppress_health_check=list(HealthCheck))
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


def check(path, data):
    path.write_bytes(data)
    try:
        sniff(path)
        with open_table(path) as table:
            for record in table:
                assert len(record.cells) == len(table.columns) or record.problem
                assert "\0" not in "".join(record.cells)
                "".join(record.cells).encode()
            "".join(table.columns).encode()
    except FileRefused as refused:
        # Every placeholder of the message has its value.
        str(refused)


@given(st.binary(max_size=400) | st.lists(PIECES, max_size=60).map(b"".join))
@QUICK
def test_any_bytes(tmp_path_factory, data):
    check(tmp_path_factory.getbasetemp() / "any", data)


@given(
    st.text(max_size=200),
    st.sampled_from(["utf-8", "utf-16", "utf-16-le", "utf-32-be", "cp1252", "cp932"]),
)
@QUICK
def test_any_text_in_any_encoding(tmp_path_factory, text, encoding):
    check(tmp_path_factory.getbasetemp() / "any", text.encode(encoding, "ignore"))


@given(st.integers(0, 3000), st.binary(min_size=1, max_size=8))
@SLOW
def test_damaged_workbook(tmp_path_factory, place, bad):
    stream = io.BytesIO()
    with xlsx_writer(stream, [Column(name="a"), Column(name="b", choices=("x",))]) as writer:
        writer.write([["1", "x"]])
    data = stream.getvalue()
    start = place % len(data)

    check(tmp_path_factory.getbasetemp() / "any", data[:start] + bad + data[start + len(bad) :])


@given(st.integers(0, 400), st.binary(min_size=1, max_size=8))
@QUICK
def test_damaged_zip(tmp_path_factory, place, bad):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", "a,b\n1,2\n")
        archive.writestr("b/c.vcf", "BEGIN:VCARD\nFN:x\nEND:VCARD\n")
    data = stream.getvalue()
    start = place % len(data)

    check(tmp_path_factory.getbasetemp() / "any", data[:start] + bad + data[start + len(bad) :])
