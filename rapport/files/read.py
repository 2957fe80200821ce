"""Any file as a table: columns with names, and records with numbers, cells and problems."""

from __future__ import annotations

import hashlib
import json
import tempfile
import weakref
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any, Literal, Self

from rapport.files import archive, canonical, formula
from rapport.files.convert import convert
from rapport.files.detect import FORMATS, WORKBOOKS, Detected, Format, dialect_of, format_of, sniff
from rapport.files.dialect import NO_DELIMITER, Dialect
from rapport.files.encoding import checked, sniff_encoding
from rapport.files.limits import LIMITS, Limits
from rapport.files.refusal import FileRefused, Message, empty, gettext_noop
from rapport.files.rows import Problem, Reader, Record, Source, is_blank, take, without_end
from rapport.files.textstream import is_clean, show_bytes

__all__ = ["FileRefused", "Problem", "ReadOptions", "Record", "Table", "open_table"]

# A column whose name begins like this marks a file as our own export, also after Excel saved it.
OWN_COLUMN = "(Do Not Modify)"
# How far ahead the header and the widest record are looked for.
_PEEK = 1000

Unit = Literal["row", "line", "record", "card"]
_UNITS: dict[str, Unit] = {"json": "line", "xml": "record", "vcard": "card"}


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """What a person or a recipe has decided about a file; None: as the file itself suggests."""

    format: Format | None = None
    encoding: str | None = None
    delimiter: str | None = None  # "" for a file of one column
    quote: str | None = None  # "" when nothing is quoted
    escape: str | None = None
    skip_blanks: bool | None = None
    sep_line: bool | None = None
    header: int | None = (
        None  # row of the header; 0: there is none; None: the first that is not blank
    )
    sheet: str | None = None
    element: str | None = None  # path of the XML element that is a record
    member: str | None = None  # file inside a zip archive
    unescape: bool | None = None  # take off the apostrophes that our CSV writer puts on

    @classmethod
    def of(cls, found: Detected) -> ReadOptions:
        """Everything as detected, so that the file is not inspected a second time."""
        return cls(
            format=found.format,
            encoding=found.encoding.name if found.encoding else None,
            sheet=found.sheet,
            element=found.elements[0][0] if found.elements else None,
            **(asdict(found.dialect) if found.dialect else {}),
        )


class Table:
    """A table that can be read as often as wanted; each reading opens the file anew."""

    def __init__(
        self, source: Source, *, options: ReadOptions, made: canonical.Converted | None, unit: Unit
    ) -> None:
        self.options = options
        self.unit = unit
        self.known_rows = made.rows if made else None
        self.notes = tuple(Message(canonical.NOTES[note]) for note in made.notes) if made else ()
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        peeked = _peek(source)
        if made and made.columns is not None:
            self.header, self.columns = 0, made.columns
        else:
            self.header, self.columns = _header(peeked, options.header, made)
        if not self.columns:
            raise empty()
        if len(self.columns) > LIMITS.columns:
            raise canonical.too_many_columns(len(self.columns))
        unescape = options.unescape
        if unescape is None:
            unescape = not made and any(name.startswith(OWN_COLUMN) for name in self.columns)
        if unescape:
            self.columns = tuple(map(formula.unescape, self.columns))
        self.header_guess = None if options.header == 0 else _guess(peeked, self.header)
        self._source = replace(source, unescape=unescape)

    def __iter__(self) -> Iterator[Record]:
        return chain.from_iterable(self.iter_batches(_PEEK))

    def iter_batches(self, size: int, *, after: int = 0) -> Iterator[list[Record]]:
        """Records in lists, which is quicker; `after` is the number of the last one already had."""
        reader = Reader(self._source, header=self.header, width=len(self.columns))
        return reader.batches(size, after=after)

    def keep(self, folder: tempfile.TemporaryDirectory[str]) -> None:
        """Own a folder of temporary files until the table is closed or forgotten."""
        self._folder = folder
        weakref.finalize(self, folder.cleanup)

    def close(self) -> None:
        if self._folder:
            self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_table(
    path: Path,
    options: ReadOptions | None = None,
    *,
    scratch: Path | None = None,
    limits: Limits = LIMITS,
) -> Table:
    """Open a file as a table, or raise FileRefused.

    `scratch` is a folder that outlives the table: a workbook that was converted there once is not
    converted again, by a resumed job for instance.
    """
    path = Path(path)
    options = options or ReadOptions()
    folder = None if scratch else tempfile.TemporaryDirectory(prefix="rapport-")
    try:
        table = _open(path, options, scratch or Path(folder.name if folder else ""), limits)
    except BaseException:
        if folder:
            folder.cleanup()
        raise
    if folder:
        table.keep(folder)
    return table


def _open(path: Path, options: ReadOptions, scratch: Path, limits: Limits) -> Table:
    if options.member is not None or (options.format or format_of(path, limits)) == "zip":
        path, options = _member(path, options, scratch, limits)
    kind = options.format or format_of(path, limits)
    if kind not in FORMATS or kind == "zip":
        raise FileRefused(
            "format",
            gettext_noop("“%(format)s” is no format that can be read."),
            gettext_noop("Choose one of the formats in the list."),
            format=kind,
        )
    if kind == "csv":
        source, options = _csv_source(path, replace(options, format=kind))
        return Table(source, options=options, made=None, unit="row")
    options = _decided(path, replace(options, format=kind), limits)
    target = scratch / f"{_key(path, options)}.csv"
    made = _made(path, options, target, limits)
    source = Source(
        path=target, encoding="utf-8", dialect=Dialect(), clean=not made.marked, canonical=True
    )
    return Table(source, options=options, made=made, unit=_UNITS.get(kind, "row"))


def _csv_source(path: Path, options: ReadOptions) -> tuple[Source, ReadOptions]:
    encoding = checked(options.encoding) if options.encoding else sniff_encoding(path).name
    asked = (
        options.delimiter,
        options.quote,
        options.escape,
        options.skip_blanks,
        options.sep_line,
    )
    dialect = Dialect() if None not in asked else dialect_of(path, encoding)
    names = ("delimiter", "quote", "escape", "skip_blanks", "sep_line")
    chosen: dict[str, Any] = {
        name: value for name, value in zip(names, asked, strict=True) if value is not None
    }
    dialect = replace(dialect, **chosen)
    _check(dialect)
    decided = replace(options, encoding=encoding, **asdict(dialect))
    clean = is_clean(path, encoding)
    return Source(path=path, encoding=encoding, dialect=dialect, clean=clean), decided


def _check(dialect: Dialect) -> None:
    """The csv module wants single characters that differ, and no line ends."""
    signs = [sign for sign in (dialect.delimiter, dialect.quote, dialect.escape) if sign]
    wrong = any(len(sign) != 1 or sign in "\r\n" for sign in signs)
    if (
        wrong
        or len(set(signs)) != len(signs)
        or {dialect.quote, dialect.escape} & {" ", NO_DELIMITER}
    ):
        raise FileRefused(
            "dialect",
            gettext_noop("Delimiter and quotation mark must be one character each, and differ."),
            gettext_noop("Choose them again."),
        )


def _decided(path: Path, options: ReadOptions, limits: Limits) -> ReadOptions:
    """Options with the sheet, element or encoding that was left open."""
    kind = options.format
    if kind in WORKBOOKS or kind == "xml-ss2003":
        return (
            options if options.sheet else replace(options, sheet=sniff(path, limits=limits).sheet)
        )
    if kind == "xml":
        return options
    return replace(options, encoding=checked(options.encoding or sniff_encoding(path).name))


def _key(path: Path, options: ReadOptions) -> str:
    """A name for what a conversion makes: it changes with the file and with what was asked."""
    stat = path.stat()
    asked = (path.name, stat.st_size, stat.st_mtime_ns, options.format, options.encoding)
    whole = repr((*asked, options.sheet, options.element))
    return hashlib.sha256(whole.encode("utf-8", "replace")).hexdigest()[:24]


def _made(path: Path, options: ReadOptions, target: Path, limits: Limits) -> canonical.Converted:
    report = target.with_suffix(".json")
    if report.exists():
        return canonical.Converted.from_json(json.loads(report.read_text("utf-8")))
    made = convert(
        path,
        options.format or "",
        target,
        limits=limits,
        part=options.element if options.format == "xml" else options.sheet,
        encoding=options.encoding or "utf-8",
    )
    # Written last and moved into place: it says that the conversion is whole.
    partial = target.with_suffix(".partial")
    partial.write_text(json.dumps(made.as_json()), "utf-8")
    partial.replace(report)
    return made


def _member(
    path: Path, options: ReadOptions, scratch: Path, limits: Limits
) -> tuple[Path, ReadOptions]:
    """One file out of an archive, and the options for it."""
    with archive.opened(path, limits) as opened:
        names = [member.name for member in archive.members(opened)]
        name = options.member
        if name is None and len(names) == 1:
            name = names[0]
        if name not in names:
            raise FileRefused(
                "member",
                gettext_noop("The archive holds %(count)d files, and one must be chosen."),
                gettext_noop("It has these files: %(members)s."),
                count=len(names),
                members=", ".join(names)[:500],
            )
        target = scratch / f"{_key(path, ReadOptions(sheet=name))}.member"
        if not target.exists():
            archive.extract(opened, name or "", target)
    outer = options.format if options.format != "zip" else None
    return target, replace(options, member=None, format=outer)


def _peek(source: Source) -> list[list[str]]:
    """The first rows as a person sees them, for header and width."""
    with source.opened() as found:
        rows = take(found, _PEEK, 1)
    if rows:
        without_end(rows)
    return [[show_bytes(cell)[0] for cell in row] for row in rows]


def _header(
    rows: list[list[str]], asked: int | None, made: canonical.Converted | None
) -> tuple[int, tuple[str, ...]]:
    """The row of the header and the names in it, trimmed; a sheet is as wide as its cells are."""
    width = made.width if made else 0
    if asked == 0:
        width = width or max((len(row) for row in rows if not is_blank(row)), default=0)
        return 0, ("",) * width
    at = asked or next((n for n, row in enumerate(rows, 1) if not is_blank(row)), 0)
    if not at or at > len(rows):
        if asked and any(not is_blank(row) for row in rows):
            raise FileRefused(
                "header",
                gettext_noop("There is no row %(row)d that could be the header."),
                gettext_noop("Choose one of the first rows."),
                row=at,
            )
        raise empty()
    names = [name.replace("\ufeff", "").strip() for name in rows[at - 1]]
    names += [""] * (width - len(names))
    return at, tuple(names)


def _guess(rows: list[list[str]], header: int) -> int | None:
    """A later row that looks more like the header, where a title stands above the table."""
    filled = [sum(bool(cell.strip()) for cell in row) for row in rows[: header + 20]]
    if not header or header > len(filled):
        return None
    most = max(filled[header - 1 :])
    at = next(n for n, number in enumerate(filled, 1) if n >= header and number == most)
    return at if at != header and filled[header - 1] * 2 <= most else None
