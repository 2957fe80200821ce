"""Ordinary XML: records are what repeats; their attributes and nested elements are columns."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rapport.files import safexml
from rapport.files.canonical import Columns, Converted, Sink
from rapport.files.limits import LIMITS
from rapport.files.refusal import FileRefused, damaged, empty, gettext_noop
from rapport.files.safexml import Element, local

# Enough of a file to see what repeats; the rest is only read once.
_LOOK_AT = 50_000
# A schema that stands beside what it describes, as Access and .NET write it, has no records.
_SCHEMA = "{http://www.w3.org/2001/XMLSchema}"
# Values of a vCard in XML say of what kind they are: <fn><text>Ann</text></fn>.
_XCARD = "{urn:ietf:params:xml:ns:vcard-4.0}"
_XCARD_VALUES = {f"{_XCARD}{kind}" for kind in ("text", "uri", "date", "date-time", "timestamp")}
_IGNORED = ("{http://www.w3.org/2001/XMLSchema-instance}", "{http://www.w3.org/XML/1998/namespace}")

# Elements that are called after what they are, and named by an attribute: <field name="city">.
_FIELDS = frozenset(
    "field column col property attribute attr prop param parameter str int long float double bool "
    "date fl".split()
)
_NAMES = ("name", "key", "fieldname", "val")
# How .NET and Access write signs that no name may have: Last_x0020_Name.
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
_VALUES = ("value", "ref", "eval")
_FILEMAKER = ("FMPXMLRESULT", "RESULTSET", "ROW")
_ABOUT = ("id", "type", "null", "nil", "model", "label", "lookupentity", "lookupentityname")

_LISTS = {("person", "people"), ("entry", "feed")}

type_path = tuple[str, ...]


@dataclass
class _Shape:
    """What was seen of the elements with one path."""

    count: int = 0
    most: int = 0  # in one parent
    structured: bool = False  # has attributes or children
    text: bool = False  # says something itself
    named: bool = False  # is a field that says its name
    children: dict[str, int] = field(default_factory=dict)  # the most of each in one


def elements(path: Path) -> tuple[tuple[str, int], ...]:
    """Paths that may be records, the best first, with how often they occur in the head."""
    return _records_of(_shapes(path))


def _records_of(found: dict[type_path, _Shape]) -> tuple[tuple[str, int], ...]:
    if _FILEMAKER in found:
        return _told([(_FILEMAKER, found[_FILEMAKER])])
    # Neither a field nor what is in it is a record.
    shapes = {
        p: shape
        for p, shape in found.items()
        if not any(found[p[:depth]].named for depth in range(1, len(p) + 1))
    }
    repeated = {p: s for p, s in shapes.items() if s.most > 1 and len(p) > 1}
    # What has fields that say their names is a record, whatever else repeats besides.
    holders = {p[:-1] for p, shape in found.items() if shape.named}
    outermost = {
        p
        for p in holders & repeated.keys()
        if not any(p[:depth] in repeated for depth in range(2, len(p)))
    }
    by_depth = sorted(
        repeated.items(),
        key=lambda item: (
            item[0] not in outermost,
            not item[1].structured,
            len(item[0]),
            -item[1].most,
        ),
    )
    if not by_depth:
        return _told(_single(found))
    around = _one_around(by_depth[0][0], shapes)
    return _told([*([(around, shapes[around])] if around else []), *by_depth])


def _told(records: list[tuple[type_path, _Shape]]) -> tuple[tuple[str, int], ...]:
    return tuple(("/".join(p), shape.count) for p, shape in records)


def _one_around(best: type_path, shapes: dict[type_path, _Shape]) -> type_path:
    """The one record that what repeats is a part of: a list of one contact with two addresses."""
    for depth in range(2, len(best)):
        outer, inner = best[depth - 2 : depth]
        if _is_list_of(outer, inner) and _says(best[:depth], shapes):
            return best[:depth]
    if shapes[best].text:
        # Values. Above a mere list of them there may be a title.
        for depth in range(len(best) - 1, 0, -1):
            if len(_values(best[:depth], shapes)) > (depth == 1):
                return best[:depth]
    return ()


def _values(at: type_path, shapes: dict[type_path, _Shape]) -> list[str]:
    """The elements right in another that say something and are there once."""
    told = shapes[at].children.items()
    return [name for name, most in told if most == 1 and shapes[(*at, name)].text]


def _says(at: type_path, shapes: dict[type_path, _Shape]) -> bool:
    """Whether something is said in an element, however deep, that is there once."""
    once = [(*at, name) for name, most in shapes[at].children.items() if most == 1]
    return any(shapes[p].text or _says(p, shapes) for p in once)


def _is_list_of(outer: str, inner: str) -> bool:
    """Whether an element is called after what is in it: contacts, ContactList, ArrayOfContact."""
    one, many = inner.lower(), outer.lower()
    plurals = {f"{one}s", f"{one}es", f"{one[:-1]}ies", f"{one}list", f"{one}set"}
    return many in plurals | {f"arrayof{one}"} or (one, many) in _LISTS


def _single(shapes: dict[type_path, _Shape]) -> list[tuple[type_path, _Shape]]:
    """Nothing repeats, so there is one record: what holds fields that say their names, else the
    outermost element that is more than a wrapping of the next."""
    holders = [p[:-1] for p, shape in shapes.items() if shape.named]
    if holders:
        return [(holders[0], shapes[holders[0]])]
    at = next(iter(shapes))
    if not shapes[at].structured:
        raise empty()
    while True:
        inside = [p for p in shapes if p[:-1] == at]
        if len(inside) != 1 or not shapes[inside[0]].structured:
            return [(at, shapes[at])]
        at = inside[0]


def _shapes(path: Path) -> dict[type_path, _Shape]:
    shapes: dict[type_path, _Shape] = {}
    stack: list[str] = []
    inside: list[Counter[str]] = [Counter()]
    seen = schema = 0
    for event, element in safexml.events(path, ("start", "end")):
        if schema or (stack and element.tag.startswith(_SCHEMA)):
            schema += 1 if event == "start" else -1
            if not schema:
                safexml.forget(element)
        elif event == "start":
            seen += 1
            name = local(element.tag)
            stack.append(name)
            if len(stack) > LIMITS.xml_depth:
                raise damaged(f"more than {LIMITS.xml_depth} levels")
            _see(shapes, tuple(stack), element, inside[-1])
            inside.append(Counter())
            if seen > _LOOK_AT:
                break
        else:
            shape = shapes[tuple(stack)]
            shape.text = shape.text or bool((element.text or "").strip())
            shape.children |= {
                name: max(most, shape.children.get(name, 0)) for name, most in inside[-1].items()
            }
            stack.pop()
            inside.pop()
            safexml.forget(element)
    return shapes


def _see(
    shapes: dict[type_path, _Shape], at: type_path, element: Element, brothers: Counter[str]
) -> None:
    shape = shapes.setdefault(at, _Shape())
    shape.count += 1
    brothers[at[-1]] += 1
    shape.most = max(shape.most, brothers[at[-1]])
    shape.named = shape.named or bool(_field_name(element))
    shape.structured = shape.structured or bool(_attributes(element))
    if len(at) > 1:
        shapes[at[:-1]].structured = True


def convert(path: Path, element: str | None, target: Path) -> Converted:
    shapes = _shapes(path)
    found = _records_of(shapes)
    wanted = element or found[0][0]
    # What a record says of itself must not be taken for the field of the same name.
    has_fields = any(s.named and "/".join(p[:-1]) == wanted for p, s in shapes.items())
    own = f"{wanted.rpartition('/')[2]}/" if has_fields else ""
    others = {other.rpartition("/")[2] for other, _ in found}
    columns = Columns()
    sink = Sink(target)
    names = _names_above(path) if wanted == "/".join(_FILEMAKER) else []
    try:
        for record in _records(path, wanted, others):
            sink.add(columns.row(_in_order(record, names) if names else _cells(record, "", own)))
    finally:
        sink.close()
    if not sink.rows:
        raise FileRefused(
            "element",
            gettext_noop("The file has no element “%(element)s”."),
            gettext_noop("Choose one of the repeating elements that were found."),
            element=wanted,
        )
    return sink.converted(columns=columns.names)


def _records(path: Path, wanted: str, others: set[str]) -> Iterator[Element]:
    """The elements with the wanted path. `others` also repeat: they are freed as they pass by."""
    at = wanted.split("/")
    for _, element in safexml.events(path, ("end",), {at[-1], *others}):
        here = _path(element)
        if here == at:
            yield element
            safexml.forget(element)
        elif here[: len(at)] != at:
            # What is inside a record is read with it, not before.
            safexml.forget(element)


def _path(element: Element) -> list[str]:
    names = [local(element.tag), *(local(parent.tag) for parent in element.iterancestors())]
    return names[::-1]


def _cells(element: Element, prefix: str, begin: str = "") -> Iterator[tuple[str, str]]:
    """Name and text of everything in an element; nested names are joined by a slash. Those of its
    attributes `begin` so."""
    for name, text in _attributes(element):
        yield prefix + begin + name, text
    children = [child for child in element if isinstance(child.tag, str)]
    own = _text(element)
    if own or (not children and prefix):
        yield prefix.removesuffix("/") or local(element.tag), own
    for child in children:
        if field_name := _field_name(child):
            yield from _of_field(child, prefix + field_name)
            continue
        if prefix and child.tag in _XCARD_VALUES:
            yield prefix.removesuffix("/"), _text(child)
            continue
        name = prefix + _ESCAPED.sub(lambda found: chr(int(found[1], 16)), local(child.tag))
        if len(child) or _attributes(child):
            yield from _cells(child, name + "/")
        else:
            yield name, _text(child)


def _names_above(path: Path) -> list[str]:
    """What the cells of FileMaker's rows are, which stands above all rows."""
    found = []
    for _, element in safexml.events(path, ("end",), ("FIELD", "METADATA")):
        if local(element.tag) == "METADATA":
            break
        found.append(dict(_attributes(element)).get("NAME", ""))
    return found


def _in_order(row: Element, names: list[str]) -> Iterator[tuple[str, str]]:
    """The cells of a row without names of their own; what a cell has several of comes again."""
    for name, cell in zip(names, row, strict=False):
        for at, value in enumerate(cell):
            if not at or _text(value):
                yield name, _text(value)


def _field_name(element: Element) -> str:
    """The name of a field that an attribute tells; "" for any other element."""
    if local(element.tag).lower() not in _FIELDS:
        return ""
    said = {name.lower(): text for name, text in _attributes(element)}
    if not said.keys() <= {*_NAMES, *_VALUES, *_ABOUT}:
        # With attributes of other sorts it is a record that happens to have a name.
        return ""
    return next((said[name] for name in _NAMES if name in said), "")


def _of_field(field: Element, name: str) -> Iterator[tuple[str, str]]:
    """Its value, which may stand in an attribute; what is in it, if it has elements."""
    told = next((text for key, text in _attributes(field) if key.lower() in _VALUES), "")
    inner = [child for child in field if isinstance(child.tag, str)]
    if inner and all(local(child.tag) == "data" and not len(child) for child in inner):
        # FileMaker's server.
        yield from ((name, _text(child)) for child in inner)
        return
    if text := _text(field) or told or ("" if inner else " "):
        yield name, text.strip()
    for child in inner:
        yield from _cells(child, f"{name}/{local(child.tag)}/")


def _text(element: Element) -> str:
    pieces = [element.text or "", *(child.tail or "" for child in element)]
    return " ".join(piece.strip() for piece in pieces if piece.strip())


def _attributes(element: Element) -> list[tuple[str, str]]:
    return [
        (local(name), text)
        for name, text in element.attrib.items()
        if not name.startswith(_IGNORED)
    ]
