"""Whatever a file holds: a table or a refusal, never another error, and no lost or forged text."""

import io
import zipfile

from hypothesis import HealthCheck, given, settings, strategies as st

from rapport.files.detect import sniff
from rapport.files.read import open_table
from rapport.files.refusal import FileRefused
from rapport.files.write import Column, xlsx_writer
from tests.damage import DAMAGES, PIECES, WHOLE, damaged

QUICK = settings(deadline=None, max_examples=300, suppress_health_check=list(HealthCheck))
SLOW = settings(deadline=None, max_examples=15, suppress_health_check=list(HealthCheck))


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


@given(st.sampled_from(WHOLE), DAMAGES)
@QUICK
def test_damaged_file_of_every_format(tmp_path_factory, whole, damages):
    check(tmp_path_factory.getbasetemp() / "any", damaged(whole, damages))


@given(st.booleans(), st.integers(0, 20), DAMAGES)
@SLOW
def test_damaged_workbook(tmp_path_factory, inside, part, damages):
    stream = io.BytesIO()
    with xlsx_writer(stream, [Column(name="a"), Column(name="b", choices=("x",))]) as writer:
        writer.write([["1", "x"]])
    data = _with_damaged_part(stream, part, damages) if inside else stream.getvalue()

    check(tmp_path_factory.getbasetemp() / "any", data if inside else damaged(data, damages))


def _with_damaged_part(stream, part, damages):
    """A workbook whose archive is whole."""
    made = io.BytesIO()
    with zipfile.ZipFile(stream) as source, zipfile.ZipFile(made, "w") as target:
        names = source.namelist()
        for name in names:
            data = source.read(name)
            wrong = name == names[part % len(names)]
            target.writestr(name, damaged(data, damages) if wrong else data)
    return made.getvalue()


@given(DAMAGES)
@QUICK
def test_damaged_zip(tmp_path_factory, damages):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", "a,b\n1,2\n")
        archive.writestr("b/c.vcf", "BEGIN:VCARD\nFN:x\nEND:VCARD\n")

    check(tmp_path_factory.getbasetemp() / "any", damaged(stream.getvalue(), damages))
