"""Zip archives, and what is no table at all."""

import io
import zipfile

import pytest

from rapport.files.archive import Member
from rapport.files.detect import sniff
from rapport.files.limits import Limits
from rapport.files.read import ReadOptions, open_table
from rapport.files.refusal import FileRefused


@pytest.fixture
def packed(tmp_path):
    def pack(members):
        path = tmp_path / "all.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in members.items():
                archive.writestr(name, data)
        return path

    return pack


def code(path, limits=None, **options):
    with pytest.raises(FileRefused) as refused:
        open_table(path, ReadOptions(**options), limits=limits or Limits())
    return refused.value.code


def test_members_are_listed_with_their_formats(packed):
    path = packed(
        {
            "folder/": "",
            "folder/people.csv": "a,b\n1,2\n",
            "../cards.txt": "BEGIN:VCARD\nFN:x\nEND:VCARD\n",
            "picture.png": b"\x89PNG....",
            "__MACOSX/._people.csv": "x",
        }
    )

    assert sniff(path).members == (
        Member(name="folder/people.csv", size=8, format="csv"),
        Member(name="../cards.txt", size=27, format="vcard"),
        Member(name="picture.png", size=8, format=None),
    )
    assert open_table(path, ReadOptions(member="../cards.txt")).columns == ("Full Name",)


def test_member_must_be_chosen_and_there(packed):
    path = packed({"a.csv": "a\n1\n", "b.csv": "b\n1\n"})

    assert code(path) == "member"
    assert code(path, member="c.csv") == "member"


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_with_one_name_are_refused(tmp_path):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", "a\n1\n")
        archive.writestr("a.csv", "a\n2\n")

    assert code(path) == "twice"


def test_zip_inside_a_zip_is_no_table(packed):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("a.csv", "a\n1\n")
    path = packed({"inner.zip": inner.getvalue()})

    assert sniff(path).members[0].format is None
    assert code(path) == "archive-in-archive"


def test_bombs_are_refused(packed):
    path = packed({"a.csv": b"0" * 5_000_000, "b.csv": "x"})

    assert code(path, Limits(zip_ratio_from=1_000_000)) == "bomb"
    assert code(path, Limits(zip_bytes=1_000_000)) == "bomb"
    assert code(path, Limits(zip_members=1)) == "bomb"


def test_member_larger_than_it_claims_is_damaged(packed):
    path = packed({"a.csv": b"a,b\n1,2\n" * 1000})
    data = bytearray(path.read_bytes())
    directory = data.rindex(b"PK\x01\x02")
    data[directory + 24 : directory + 28] = (100).to_bytes(4, "little")
    path.write_bytes(data)

    assert code(path) == "damaged"


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_damaged_member_is_damaged_however_it_is_packed(tmp_path, method):
    path = tmp_path / "file.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("a.csv", "a,b\n" + "1,2\n" * 500)
    data = bytearray(path.read_bytes())
    data[50:60] = bytes(10)
    path.write_bytes(data)

    assert code(path) == "damaged"


def test_member_without_a_name_is_none(packed):
    path = packed({"a.csv": "a\n1\n", "b.csv": "b\n1\n"})
    path.write_bytes(path.read_bytes().replace(b"a.csv", b"\0.csv"))

    assert [member.name for member in sniff(path).members] == ["b.csv"]


def test_encrypted_member_is_refused(packed):
    path = packed({"a.csv": "a\n1\n"})
    data = bytearray(path.read_bytes())
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)

    assert code(path) == "encrypted"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "empty"),
        (b"PK\x05\x06" + bytes(18), "no-table"),
        (b"PK\x03\x04 no archive", "damaged"),
        (b"%PDF-1.7\n", "no-table"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "no-table"),
        (b"MZ\x90\x00" + bytes(100), "no-table"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "no-table"),
        (bytes(range(256)) * 40, "no-table"),
        (b"\x09\x08\x08\x00" + b"\x00\x05" * 9, "no-table"),
        (b"BEGIN:VCALENDAR\nEND:VCALENDAR\n", "no-table"),
        (b"SQLite format 3\x00" + bytes(100), "no-table"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path, data, expected):
    path = tmp_path / "file.csv"
    path.write_bytes(data)

    assert code(path) == expected


def test_name_of_a_file_does_not_matter(tmp_path):
    path = tmp_path / "MZ.xlsx"
    path.write_bytes(b"MZ,b\n1,2\n")

    assert sniff(path).format == "csv"


def test_refusal_can_be_translated(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"%PDF-1.7")

    with pytest.raises(FileRefused) as refused:
        sniff(path)

    reason = refused.value.reason
    assert reason.template % reason.values == str(reason)
    assert str(refused.value) == f"{reason} {refused.value.remedy}"


@pytest.mark.parametrize("head", [b"\x1f\x8b\x08\0", b"BZh91AY\0", b"\xfd7zXZ\0"])
def test_packed_file_asks_to_be_unpacked(tmp_path, head):
    path = tmp_path / "list.csv.gz"
    path.write_bytes(head + bytes(20))
    with pytest.raises(FileRefused) as refused:
        sniff(path)
    assert refused.value.code == "packed"


def test_half_of_a_member_is_not_taken_for_the_whole_the_next_time(tmp_path):
    path, scratch = tmp_path / "all.zip", tmp_path / "scratch"
    scratch.mkdir()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("a.csv", "a,b\n" + "1,2\n" * 1000)
    whole = path.read_bytes()
    # The last line of the member; its checksum does not fit any more.
    path.write_bytes(whole.replace(b"1,2\nPK", b"1,3\nPK"))

    codes = []
    for _time in range(2):
        with pytest.raises(FileRefused) as refused:
            open_table(path, ReadOptions(member="a.csv"), scratch=scratch)
        codes.append(refused.value.code)

    assert codes == ["damaged", "damaged"]
