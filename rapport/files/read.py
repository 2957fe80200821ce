"""Any file as a table: columns with names, and records with numbers, cells and problems."""

from __future__ import annotations

import hashlib
import json
import tempfile
import weakref
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any, Literal, Self

from rapport.files import archive, canonical, foot, formula, header
from rapport.files.convert import convert
from rapport.files.detect import FORMATS, WORKBOOKS, Detected, Format, dialect_of, format_of, sniff
from rapport.files.dialect import NO_DELIMITER, Dialect
from rapport.files.encoding import checked, sniff_encoding
from rapport.files.limits import LIMITS, Limits
from rapport.files.partial import beside
from rapport.files.places import Places, can_be_noted
from rapport.files.refusal import FileRefused, Message, gettext_noop
from rapport.files.rows import Problem, Reader, Record, Source, Turns
from rapport.files.textstream import is_clean

__all__ = ["FileRefused", "Problem", "ReadOptions", "Record", "Table", "open_table"]

# A column whose name begins like this marks a file as our own export, also after Excel saved it.
OWN_COLUMN = "(Do Not Modify)"

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
    header: int | None = None  # its row; 0: there is none; None: the first row that is not blank
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


class _Workplace:
    """The folder for what must be made to read a file: the caller's, or our own if needed."""

    def __init__(self, scratch: Path | None) -> None:
        self._scratch = scratch
        self._own: tempfile.TemporaryDirectory[str] | None = None

    @property
    def kept(self) -> Path | None:
        """The caller's folder, in which things stay for the next time."""
        return self._scratch if self._own is None else None

    @property
    def path(self) -> Path:
        if self._scratch is None:
            self._own = tempfile.TemporaryDirectory(prefix="rapport-")
            weakref.finalize(self, self._own.cleanup)
            self._scratch = Path(self._own.name)
        return self._scratch

    def clear(self) -> None:
        if self._own:
            self._own.cleanup()


class Table:
    """A table that can be read as often as wanted; each reading opens the file anew."""

    columns: tuple[str, ...]  # trimmed names, "" for a column without one
    header: int  # row of the header, 0 if there is none
    header_guess: int | None  # a later row that looks more like the header
    above: str  # what stands above the header
    unit: Unit  # what the number of a record counts
    options: ReadOptions  # as decided: reading with them gives the same again
    notes: tuple[Message, ...]  # what a person should know
    known_rows: int | None  # rows including blank ones, where they were counted

    def __init__(
        self,
        source: Source,
        *,
        options: ReadOptions,
        made: canonical.Converted | None,
        workplace: _Workplace,
    ) -> None:
        self.options = options
        self.unit = _UNITS.get(options.format or "", "row")
        self.known_rows = made.rows if made else None
        self.notes = tuple(Message(canonical.NOTES[note]) for note in made.notes) if made else ()
        found = header.find(source, options.header, made)
        unescape = options.unescape
        if unescape is None:
            unescape = not made and any(name.startswith(OWN_COLUMN) for name in found.columns)
        self.columns = tuple(map(formula.unescape, found.columns)) if unescape else found.columns
        self.header = found.row
        self.header_guess = found.guess
        self.above = found.above
        self._source = replace(source, unescape=unescape, foot=foot.of(source))
        self._workplace = workplace

    @property
    def foot(self) -> frozenset[foot.Filled]:
        """What is written below the records and is none."""
        return self._source.foot

    @property
    def known_records(self) -> int | None:
        """How many records there are, blank ones included, where the rows were counted."""
        return None if self.known_rows is None else max(0, self.known_rows - self.header)

    def __iter__(self) -> Iterator[Record]:
        return chain.from_iterable(self.iter_batches(1000))

    def iter_batches(self, size: int, *, after: int = 0) -> Iterator[list[Record]]:
        """Records in lists, which is quicker; `after` is the number of the last one already had."""
        reader = Reader(self._source, header=self.header, width=len(self.columns))
        # A generator of its own: it keeps the table, and so its temporary folder, alive.
        yield from reader.batches(size, after=after)

    def shared(self, size: int, turns: Turns, *, after: int = 0) -> Iterator[list[Record]]:
        """The same of one of several readers, who gets every so many of the lists; some of them may
        be empty."""
        reader = Reader(self._source, header=self.header, width=len(self.columns))
        yield from reader.shared(size, turns, after=after)

    def pick(self, numbers: Collection[int]) -> Iterator[Record]:
        """The records with these numbers, in the order of the file."""
        reader = Reader(self._source, header=self.header, width=len(self.columns))
        yield from reader.picked(numbers)

    def close(self) -> None:
        """Remove what was made to read the file; also done when the table is forgotten."""
        self._workplace.clear()

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
    workplace = _Workplace(scratch)
    try:
        return _open(Path(path), options or ReadOptions(), workplace, limits)
    except BaseException:
        workplace.clear()
        raise


def _open(path: Path, options: ReadOptions, workplace: _Workplace, limits: Limits) -> Table:
    if options.member is not None or (options.format or format_of(path, limits)) == "zip":
        path, options = _member(path, options, workplace.path, limits)
    kind = options.format or format_of(path, limits)
    if kind == "zip":
        raise FileRefused(
            "archive-in-archive",
            gettext_noop("This is an archive inside an archive."),
            gettext_noop("Unpack it yourself and import the files in it."),
        )
    if kind not in FORMATS:
        raise FileRefused(
            "format",
            gettext_noop("“%(format)s” is no format that can be read."),
            gettext_noop("Choose one of the formats in the list."),
            format=kind,
        )
    options = replace(options, format=kind)
    made = None
    if kind == "csv":
        source, options = _csv_source(path, options, workplace.kept)
    else:
        options = _decided(path, options, limits)
        target = workplace.path / f"{_key(path, options)}.csv"
        made = _made(path, options, target, limits)
        source = Source(
            path=target, encoding="utf-8", dialect=Dialect(), clean=not made.marked, canonical=True
        )
        if workplace.kept is not None:
            noted = target.with_suffix(".places")
            source = replace(source, noted=noted, places=Places.load(noted))
    return Table(source, options=options, made=made, workplace=workplace)


def _csv_source(
    path: Path, options: ReadOptions, folder: Path | None
) -> tuple[Source, ReadOptions]:
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
    noted = folder / f"{_key(path, decided, *asdict(dialect).values())}.places" if folder else None
    if noted is not None and (places := Places.load(noted)):
        # All of it has been read before: whether every byte decodes need not be found out again.
        clean = places.clean
    else:
        places, clean = None, is_clean(path, encoding)
        noted = noted if can_be_noted(encoding, dialect, clean=clean) else None
    source = Source(
        path=path, encoding=encoding, dialect=dialect, clean=clean, noted=noted, places=places
    )
    return source, decided


def _check(dialect: Dialect) -> None:
    """The csv module wants single characters that differ, and no line ends; what was
    chosen is kept beside the file, and no database keeps a zero byte."""
    signs = [sign for sign in (dialect.delimiter, dialect.quote, dialect.escape) if sign]
    wrong = any(len(sign) != 1 or sign in "\r\n\0" for sign in signs)
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


def _key(path: Path, options: ReadOptions, *more: object) -> str:
    """A name for what a conversion makes: it changes with the file and with what was asked."""
    stat = path.stat()
    asked = (path.name, stat.st_size, stat.st_mtime_ns, options.format, options.encoding)
    whole = repr((*asked, options.sheet, options.element, *more))
    return hashlib.sha256(whole.encode("utf-8", "replace")).hexdigest()[:24]


def _made(path: Path, options: ReadOptions, target: Path, limits: Limits) -> canonical.Converted:
    report = target.with_suffix(".json")
    if report.exists():
        return canonical.Converted.from_json(json.loads(report.read_text("utf-8")))
    # Moved into place when it is whole: another process may convert the same file, or be through
    # and read already what it has made.
    partial = beside(target)
    try:
        made = convert(
            path,
            options.format or "",
            partial,
            limits=limits,
            part=options.element if options.format == "xml" else options.sheet,
            encoding=options.encoding or "utf-8",
        )
        partial.replace(target)
        # The last: it says that there is all.
        partial.write_text(json.dumps(made.as_json()), "utf-8")
        partial.replace(report)
    finally:
        partial.unlink(missing_ok=True)
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
            # Moved into place when it is whole: what is there is taken for the file.
            partial = beside(target)
            archive.extract(opened, name or "", partial)
            partial.replace(target)
    outer = options.format if options.format != "zip" else None
    return target, replace(options, member=None, format=outer)
