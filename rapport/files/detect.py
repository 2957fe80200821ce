"""What a file is, told by its content and never by its name."""

from __future__ import annotations

import re
import tempfile
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, cast, get_args

from rapport.files import archive, biff
from rapport.files.dialect import HEAD, Dialect, sniff_dialect
from rapport.files.encoding import Encoding, sniff_encoding
from rapport.files.limits import LIMITS, Limits
from rapport.files.refusal import FileRefused, Message, empty, gettext_noop
from rapport.files.textstream import read_head

Format = Literal["csv", "xlsx", "xlsb", "xls", "ods", "xml-ss2003", "xml", "vcard", "json", "zip"]
FORMATS: tuple[Format, ...] = get_args(Format)
WORKBOOKS = frozenset({"xlsx", "xlsb", "xls", "ods"})

_ZIP = b"PK\x03\x04"
_WHOLE = 16 * 1024**2
# A document type stands at the beginning.
_PROLOGUE = 1024
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# Things that people really drop on an import page.
_NO_TABLES = (
    (b"%PDF", "PDF"),
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ", "xz"),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
    (b"Rar!", "RAR"),
    (b"MZ", "Windows program"),
    # Workbooks of before 1993, without the container that came then.
    (b"\x09\x00\x04\x00", "Excel 2"),
    (b"\x09\x02\x06\x00", "Excel 3"),
    (b"\x09\x04\x06\x00", "Excel 4"),
    (b"\x09\x08\x08\x00", "Excel 5"),
    (b"\x7fELF", "program"),
    (b"SQLite format 3", "SQLite"),
    (b"{\\rtf", "RTF"),
    (b"PK\x05\x06", "empty zip archive"),
    (b"II*\0", "TIFF"),
    (b"RIFF", "media"),
    (b"OggS", "media"),
    (b"ID3", "media"),
)
# Of these, what is inside may be one.
_PACKED = frozenset({"gzip", "bzip2", "xz", "7-Zip", "RAR"})
_TAG = re.compile(r"<(?:([\w.-]+):)?([A-Za-z_][\w.-]*)([^<>]*)>")
_WEB_PAGE = re.compile(r"<!DOCTYPE\s+html|<html[\s>]|^\s*<table[^<>]*>\s*<t", re.IGNORECASE)
# An address book of a directory: its first line names an entry.
_LDIF = re.compile(r"(?:version: *1\s+|#[^\n]*\n\s*)*dn(?:: *\w+ *=|:: *\w)", re.IGNORECASE)
# A page with all that belongs to it, which web programs call .xls.
_SAVED_PAGE = re.compile(
    r"^Content-Type: *(?:multipart/related|text/html)\b", re.IGNORECASE | re.MULTILINE
)
_MESSAGE = re.compile(r"(?:MIME-Version|From|Content-Type):", re.IGNORECASE)
# Exchange formats of the time before CSV, which some programs still write.
_OLD_TABLES = (
    (re.compile(r"ID;P[^\n]*\n[A-Z]{1,2};[A-Z]"), "SYLK"),
    (re.compile(r"TABLE\s+0,1\s+\""), "DIF"),
)
_CONTROL = dict.fromkeys((*range(9), *range(14, 27), *range(28, 32)))
_NO_TABLE = Message(gettext_noop("This is no table."))


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A worksheet. `rows` is what the workbook itself says, None when it does not."""

    name: str
    rows: int | None = None
    hidden: bool = False


@dataclass(frozen=True, kw_only=True)
class Detected:
    """Everything that a person should see, and may correct, before the file is read."""

    format: Format
    size: int
    encoding: Encoding | None = None
    dialect: Dialect | None = None
    sheets: tuple[Sheet, ...] = ()
    members: tuple[archive.Member, ...] = ()
    elements: tuple[tuple[str, int], ...] = ()  # XML: path of a repeating element, how often

    @property
    def sheet(self) -> str | None:
        """The sheet that is read unless a person chooses another: the first that shows cells."""
        order = sorted(self.sheets, key=lambda sheet: (sheet.hidden, sheet.rows == 0))
        return order[0].name if order else None


def sniff(path: Path, *, limits: Limits = LIMITS) -> Detected:
    """Look at a file. Raises FileRefused for what no reader of this room can read."""
    path = Path(path)
    kind = format_of(path, limits)
    size = path.stat().st_size
    if kind == "zip":
        return Detected(format=kind, size=size, members=_zip_members(path, limits))
    if kind in WORKBOOKS:
        from rapport.files import workbook  # reads XML, which CSV never needs

        return Detected(format=kind, size=size, sheets=workbook.sheets(path, kind, limits))
    if kind == "xml-ss2003":
        from rapport.files import spreadsheetml  # loads lxml

        return Detected(format=kind, size=size, sheets=spreadsheetml.sheets(path))
    if kind == "xml":
        from rapport.files import xmlrecords  # loads lxml

        return Detected(format=kind, size=size, elements=xmlrecords.elements(path))
    encoding = sniff_encoding(path)
    if kind != "csv":
        return Detected(format=kind, size=size, encoding=encoding)
    return Detected(
        format=kind, size=size, encoding=encoding, dialect=dialect_of(path, encoding.name)
    )


def dialect_of(path: Path, encoding: str) -> Dialect:
    head, complete = read_head(path, encoding, HEAD)
    return sniff_dialect(head, complete=complete)


def format_of(path: Path, limits: Limits = LIMITS) -> Format:
    with path.open("rb") as raw:
        head = raw.read(4096)
    if not head:
        raise empty()
    for magic, name in _NO_TABLES:
        if head.startswith(magic) and (len(magic) > 2 or _is_binary(head)):
            raise _no_table(name)
    if head.startswith(_ZIP):
        return _inside_zip(path, limits)
    if head.startswith(_OLE):
        return _inside_ole(path)
    return _text_format(path)


def _text_format(path: Path) -> Format:
    encoding = sniff_encoding(path)
    head, complete = read_head(path, encoding.name, 65_536)
    start = head.lstrip()
    if complete and not head.strip(" \t\r\n,;|\"'"):
        raise empty()
    if not start:
        return "csv"
    if _looks_binary(head, encoding):
        raise _no_table("")
    if start[:11].upper() == "BEGIN:VCARD":
        return "vcard"
    if start[:15].upper() == "BEGIN:VCALENDAR":
        raise _no_table("iCalendar")
    if _LDIF.match(start):
        raise _no_table("LDIF")
    if _MESSAGE.match(start) and _SAVED_PAGE.search(start[:2048]):
        raise _web_page()
    for sign, name in _OLD_TABLES:
        if sign.match(start):
            raise _old_table(name)
    if start[0] in "{[" and _looks_json(start):
        return "json"
    if start[0] == "<" and _looks_xml(start, complete=complete):
        return _xml_format(start)
    return "csv"


def _web_page() -> FileRefused:
    return FileRefused(
        "web-page",
        gettext_noop("This is a web page, even if its name says that it is a workbook."),
        gettext_noop("Open it in a spreadsheet program and save it as .xlsx or CSV."),
    )


def _old_table(name: str) -> FileRefused:
    return FileRefused(
        "old-table",
        gettext_noop("This is a table in the old format “%(type)s”."),
        gettext_noop("Open it in a spreadsheet program and save it as .xlsx or CSV."),
        type=name,
    )


def _xml_format(start: str) -> Format:
    if _WEB_PAGE.search(start[:2048]):
        raise _web_page()
    # Only what stands before the root element can be a document type.
    root = _TAG.search(re.sub(r"<!--.*?-->", "", start, flags=re.DOTALL))
    doctype = start.upper().find("<!DOCTYPE")
    if doctype >= 0 and (root is None or doctype < start.find(root[0])):
        from rapport.files.safexml import no_doctype  # loads lxml

        raise no_doctype()
    if root and root[2] == "Workbook" and "urn:schemas-microsoft-com:office:spreadsheet" in root[3]:
        return "xml-ss2003"
    if root and root[2] == "document" and "opendocument.spreadsheet" in root[3]:
        return "ods"
    return "xml"


def _looks_xml(start: str, *, complete: bool) -> bool:
    if start.startswith(("<?xml", "<!DOCTYPE", "<!doctype", "<!--")):
        return True
    # A CSV file may begin with markup in its first cell; then it does not end with any.
    return bool(_TAG.match(start)) and (not complete or start.rstrip().endswith(">"))


def _looks_json(start: str) -> bool:
    text = r'"(?:[^"\\]|\\.)*"'
    return bool(re.match(rf"\{{\s*{text}\s*:|\{{\s*\}}|\[\s*(?:[\[{{\]]|{text}\s*[,\]])", start))


def _looks_binary(head: str, encoding: Encoding) -> bool:
    controls = len(head) - len(head.translate(_CONTROL))
    # Text that decodes may hold a stray NUL; bytes that fit no encoding are given less credit.
    return controls > len(head) * (0.02 if encoding.sure == "guess" else 0.3)


def _is_binary(head: bytes) -> bool:
    return b"\0" in head


def _no_table(name: str) -> FileRefused:
    if name in _PACKED:
        return FileRefused(
            "packed",
            gettext_noop("This is a packed file of the type “%(type)s”."),
            gettext_noop("Unpack it, or pack its files as .zip."),
            type=name,
        )
    if name:
        return FileRefused(
            "no-table",
            gettext_noop("This is a file of the type “%(type)s”, which holds no table."),
            gettext_noop("Choose a CSV, Excel, OpenDocument, XML, JSON or vCard file."),
            type=name,
        )
    return FileRefused(
        "no-table",
        gettext_noop("This file holds no text that could be a table."),
        gettext_noop("Choose a CSV, Excel, OpenDocument, XML, JSON or vCard file."),
    )


def _inside_zip(path: Path, limits: Limits) -> Format:
    with archive.opened(path, limits) as opened:
        names = {name.lstrip("/") for name in opened.namelist()}
        if any(name.lower().endswith("vbaproject.bin") for name in names):
            raise macros()
        # Without its list of types it is a workbook all the same, and no archive of lists.
        if "[Content_Types].xml" in names or "xl/workbook.xml" in names:
            found = _inside_package(names)
            _check_parts(opened, (name for name in opened.namelist() if name.startswith("xl/")))
            return found
        if "mimetype" in names:
            mimetype = archive.read_member(opened, "mimetype", 1 << 16).decode("ascii", "replace")
            if "opendocument.spreadsheet" in mimetype:
                if b"encryption-data" in archive.read_member(opened, "META-INF/manifest.xml"):
                    raise archive.encrypted()
                # Its manifest may have one: so did OpenOffice write it.
                _check_parts(opened, ("content.xml",))
                return "ods"
            raise _no_table(mimetype[:80])
    return "zip"


def _check_parts(opened: zipfile.ZipFile, names: Iterable[str]) -> None:
    """Refuse what could only be an attack: no program writes a document type before cells."""
    for name in names:
        if name.lower().endswith((".xml", ".rels")):
            head = archive.head(opened, name, _PROLOGUE).replace(b"\0", b"").upper()
            if b"<!DOCTYPE" in head or b"<!ENTITY" in head:
                from rapport.files.safexml import no_doctype  # loads lxml

                raise no_doctype()


def _inside_package(names: set[str]) -> Format:
    """What an Office document is; some programs write capital letters or other slashes."""
    plain = {name.lower().replace("\\", "/") for name in names}
    if "xl/workbook.bin" in plain:
        return "xlsb"
    if any(name.startswith("xl/") or f"/{name}".endswith("/workbook.xml") for name in plain):
        return "xlsx"
    raise _no_table("Word" if "word/document.xml" in plain else "Office")


def _inside_ole(path: Path) -> Format:
    """Old Office files: their directory names the streams inside, in UTF-16."""
    data = path.read_bytes() if path.stat().st_size < 256 * 1024**2 else b""
    if _has_stream(data, "EncryptedPackage"):
        raise archive.encrypted()
    if _has_stream(data, "_VBA_PROJECT"):
        raise macros()
    if _has_stream(data, "Workbook\0") or _has_stream(data, "Book\0"):
        if biff.is_locked(data):
            raise archive.encrypted()
        return "xls"
    raise _no_table("Office 97-2003")


def _has_stream(data: bytes, name: str) -> bool:
    """Whether an entry of the directory, of 128 bytes each, begins so, in whatever case."""
    pattern = re.compile(re.escape(name.encode("utf-16-le")), re.IGNORECASE)
    return any(found.start() % 128 == 0 for found in pattern.finditer(data))


def macros() -> FileRefused:
    return FileRefused(
        "macros",
        gettext_noop("This workbook contains macros, that is, programs."),
        gettext_noop("Save it as an Excel workbook without macros (.xlsx) and import that."),
    )


def _zip_members(path: Path, limits: Limits) -> tuple[archive.Member, ...]:
    found = []
    with archive.opened(path, limits) as opened, tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "member"
        for member in archive.members(opened):
            # A large text file shows what it is in its beginning; a workbook only as a whole.
            whole = member.size <= _WHOLE or archive.head(opened, member.name, 4) in {
                _ZIP,
                _OLE[:4],
            }
            archive.extract(opened, member.name, target, None if whole else _WHOLE)
            kind, why = _format_or_none(target)
            found.append(replace(member, format=kind, why=why))
    if not found:
        raise empty()
    return tuple(found)


def _format_or_none(path: Path) -> tuple[str | None, Message | None]:
    """The format, or why it is no table."""
    try:
        found = cast("str", format_of(path))
    except FileRefused as refused:
        return None, refused.reason
    return (None, _NO_TABLE) if found == "zip" else (found, None)
