"""XML read in a stream: no document type, no entity, nothing fetched, nothing kept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from lxml import etree

from rapport.files.refusal import FileRefused, damaged, gettext_noop

Element = Any  # lxml has no types

_UNDECLARED = re.compile(r"Entity '([^']+)' not defined")

# What web programs put before the beginning, where nothing may stand.
_BLANK_BEFORE = re.compile(rb"(?:\xef\xbb\xbf)?\s+(?=<\?xml\b)")
# A text that .NET makes says so of itself in the computer's memory; the file is another matter.
_NOT_UTF16 = re.compile(rb"""<\?xml\b[^<>]*\bencoding=["']utf-?16""", re.IGNORECASE)


def no_doctype() -> FileRefused:
    return FileRefused(
        "doctype",
        gettext_noop("The XML file has a document type (DTD), which can be used for attacks."),
        gettext_noop("Remove the <!DOCTYPE …> part and import the file again."),
    )


def events(
    path: Path, wanted: tuple[str, ...], names: Iterable[str] = ()
) -> Iterator[tuple[str, Element]]:
    """Events of a file; every refusal of the parser becomes ours.

    `names` limits them to elements of those local names: an event costs more than its parsing.
    """
    with path.open("rb") as stream:
        head = stream.read(1024)
        blank = _BLANK_BEFORE.match(head)
        begin = blank.end() if blank else 0
        stream.seek(begin)
        # Only bytes of another encoding can be read as this.
        encoding = "utf-8" if _NOT_UTF16.match(head, begin) else None
        yield from events_of(stream, wanted, names, encoding)


def events_of(
    stream: IO[bytes],
    wanted: tuple[str, ...],
    names: Iterable[str] = (),
    encoding: str | None = None,
) -> Iterator[tuple[str, Element]]:
    """The same of a stream; `encoding`: if it is another than it says."""
    parser = etree.iterparse(
        stream,
        events=wanted,
        tag=[f"{{*}}{name}" for name in names] or None,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        encoding=encoding,
    )
    first = True
    try:
        for event, element in parser:
            if first:
                _check_doctype(element)
                first = False
            yield event, element
        if first and parser.root is not None:
            _check_doctype(parser.root)
    except (etree.XMLSyntaxError, UnicodeError, ValueError, LookupError) as error:
        raise _refusal(error, parser.error_log) from error


def _refusal(error: Exception, log: Any) -> FileRefused:
    """What the parser could not read; an entity of web pages has a remedy of its own."""
    for entry in log:
        if entry.type == etree.ErrorTypes.WAR_UNDECLARED_ENTITY:
            # Only a document type may leave that open; here its sign was written in other letters.
            return no_doctype()
        if found := _UNDECLARED.match(entry.message):
            return FileRefused(
                "entity",
                gettext_noop(
                    "The XML file uses the entity “&%(name)s;”, which it does not define."
                ),
                gettext_noop("Write the character itself instead, in UTF-8."),
                name=found[1][:60],
            )
    return damaged(error)


def _check_doctype(element: Element) -> None:
    if element.getroottree().docinfo.doctype:
        raise no_doctype()


def forget(element: Element) -> None:
    """Free an element that has been read, and its elder brothers, or memory grows with the file."""
    element.clear(keep_tail=False)
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]


def local(name: str) -> str:
    return name.rpartition("}")[2]


def small(data: bytes) -> Element:
    """A part of a workbook, parsed whole."""
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise damaged(error) from error
    _check_doctype(root)
    return root
