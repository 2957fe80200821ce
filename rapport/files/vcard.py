"""vCard 2.1, 3.0 and 4.0: a card is a record, its properties are columns, named as in Outlook."""

from __future__ import annotations

import binascii
import quopri
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rapport.files.canonical import Columns, Converted, Sink, marked
from rapport.files.encoding import CHOICES, checked
from rapport.files.refusal import FileRefused, damaged
from rapport.files.textstream import BYTE_MARKS, lines, open_text, show_bytes

_LINE = re.compile(r"(?:([\w-]+)\.)?([\w-]+)((?:;(?:[^:;\"]|\"[^\"]*\")*)*):(.*)", re.DOTALL)
_START = re.compile(r"(?:[\w-]+\.)?[\w-]+[;:]")
_PARAMETER = re.compile(r';((?:[^:;"]|"[^"]*")*)')
_WEB = re.compile(r":\w+://\S*$")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
# What many programs escape in 2.1 all the same, and what tells that they do; not in a path.
_NEWER = re.compile(r"\\([\\;,nN])")
_TELLING = re.compile(r"\\[,nN]")
_PATH = re.compile(r"\b[A-Za-z]:\\|(?:^|\s)\\\\\w")
_DATE = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T.*)?")

# A parameter of our own cards: the column that a property stands for, whatever else it says.
OUR_NAME = "X-RAPPORT"
_NAMES = ("Last Name", "First Name", "Middle Name", "Name Prefix", "Name Suffix")
# The post office box and the second address line belong to the street as people read it.
_ADDRESS = ("Street", "City", "State", "Postal Code", "Country/Region")
# “Street 2” would be the second line of the first one.
_OTHER_ADDRESS = ("Street", "City", "Region", "Postal Code", "Country")
_TEXTS = {
    "FN": "Full Name",
    "NICKNAME": "Nickname",
    "TITLE": "Job Title",
    "ROLE": "Role",
    "URL": "Web Page",
    "BDAY": "Birthday",
    "ANNIVERSARY": "Anniversary",
    "X-ANNIVERSARY": "Anniversary",
    "X-MS-ANNIVERSARY": "Anniversary",
    "NOTE": "Notes",
    "CATEGORIES": "Categories",
    "GENDER": "Gender",
    "LANG": "Language",
    "IMPP": "Instant Messaging",
    "X-MS-IMADDRESS": "Instant Messaging",
    "X-SPOUSE": "Spouse",
    "X-MS-SPOUSE": "Spouse",
    "X-EVOLUTION-SPOUSE": "Spouse",
    "X-MS-MANAGER": "Manager's Name",
    "X-MANAGER": "Manager's Name",
    "X-EVOLUTION-MANAGER": "Manager's Name",
    "X-MS-ASSISTANT": "Assistant's Name",
    "X-ASSISTANT": "Assistant's Name",
    "X-EVOLUTION-ASSISTANT": "Assistant's Name",
    "X-EVOLUTION-ANNIVERSARY": "Anniversary",
    "X-DEPARTMENT": "Department",
    "X-WAB-SPOUSE_NAME": "Spouse",
    "X-WAB-WEDDING_ANNIVERSARY": "Anniversary",
    "X-KADDRESSBOOK-X-SPOUSENAME": "Spouse",
    "X-KADDRESSBOOK-X-MANAGERSNAME": "Manager's Name",
    "X-KADDRESSBOOK-X-ASSISTANTSNAME": "Assistant's Name",
    "X-KADDRESSBOOK-X-ANNIVERSARY": "Anniversary",
    "X-KADDRESSBOOK-X-DEPARTMENT": "Department",
    "X-KADDRESSBOOK-X-IMADDRESS": "Instant Messaging",
    "X-GENDER": "Gender",
    "KIND": "Kind",
    "UID": "UID",
}
_PICTURES = {"PHOTO": "Photo", "LOGO": "Logo"}
_IGNORED = frozenset({
    "VERSION", "PRODID", "REV", "SOUND", "KEY", "AGENT", "XML", "CLIENTPIDMAP", "PROFILE", "MAILER",
    "SORT-STRING", "SOURCE", "NAME", "X-ABUID", "X-ABLABEL", "X-ABADR", "X-GENERATOR",
    "X-MS-OL-DESIGN", "X-MS-OL-DEFAULT-POSTAL-ADDRESS",
})  # fmt: skip
# Characters of a property.
_LONGEST = 16_000_000
_KNOWN = "|".join((*_TEXTS, *_PICTURES, *sorted(_IGNORED)))
_PLAINLY = re.compile(
    rf"(?:[\w-]+\.)?(?:BEGIN|END|N|TEL|EMAIL|ADR|ORG|LABEL|{_KNOWN}|X-[A-Z-]+)[;:]"
)
# In this order: a business fax is a fax first.
_PHONES = (
    ({"fax", "work"}, "Business Fax"),
    ({"workfax"}, "Business Fax"),
    ({"homefax"}, "Home Fax"),
    ({"assistant"}, "Assistant's Phone"),
    ({"fax", "home"}, "Home Fax"),
    ({"fax"}, "Fax"),
    ({"pager"}, "Pager"),
    ({"cell"}, "Mobile Phone"),
    ({"car"}, "Car Phone"),
    ({"home"}, "Home Phone"),
    ({"work"}, "Business Phone"),
    ({"home2"}, "Home Phone"),
    ({"work2"}, "Business Phone"),
)
_KINDS = ("KIND", "X-ADDRESSBOOKSERVER-KIND")
_GENDERS = {"M": "Male", "F": "Female", "O": "", "N": "", "U": ""}


@dataclass(frozen=True, kw_only=True)
class Property:
    """One line of a card, unfolded and decoded, with its escapes still in place."""

    group: str
    name: str
    parameters: dict[str, list[str]]
    value: str
    old: bool = False  # vCard 2.1, which escapes only the semicolon

    @property
    def types(self) -> set[str]:
        return {kind.lower() for kind in self.parameters.get("TYPE", ())}

    @property
    def rank(self) -> int:
        """How much it is preferred among those of its name: 1 is the most, 101 not at all."""
        told = self.parameters.get("PREF", [""])[0]
        if told.isdecimal() and len(told) < 4:
            return int(told)
        return 1 if "pref" in self.types or "PREF" in self.parameters else 101


def convert(path: Path, encoding: str, target: Path) -> Converted:
    columns = Columns()
    sink = Sink(target)
    try:
        for card in cards(path, encoding):
            row = columns.row((name, text) for name, text in _cells(card) if text)
            shown = [_keep_visible(cell) for cell in row]
            if name := _group(card):
                shown[0] = marked("group", name)
            sink.marked = sink.marked or shown != row
            sink.add(shown)
    finally:
        sink.close()
    if not sink.rows:
        raise damaged("BEGIN:VCARD without END:VCARD")
    return sink.converted(columns=columns.names)


def _group(card: list[Property]) -> str:
    """What a card is called that only lists others, as address books keep their groups."""
    kinds = {p.value.strip().lower() for p in card if p.name in _KINDS}
    names = [_plain(p.value, old=p.old) for p in card if p.name == "FN"]
    return next(filter(None, names), "?") if "group" in kinds else ""


def _keep_visible(cell: str) -> str:
    text, found = show_bytes(cell)
    if not found:
        return cell
    return marked("bytes", " ".join(f"{byte:02X}" for byte in found[:20]) + "\0" + text)


def cards(path: Path, encoding: str) -> Iterator[list[Property]]:
    """The cards of a file. A card inside a card (AGENT) is no contact of its own."""
    depth = 0
    card: list[Property] = []
    old = False
    with open_text(path, encoding) as stream:
        for line in _unfolded(_whole(lines(stream))):
            found = _parse(line, encoding, old=old)
            if found is None:
                continue
            if found.name == "BEGIN":
                depth += 1
                if depth == 1:
                    card, old = [], False
            elif found.name == "END":
                depth = max(depth - 1, 0)
                if depth == 0:
                    yield card
                    card = []
            elif found.name == "AGENT" and found.value.strip().upper() == "BEGIN:VCARD":
                depth += 1
            elif depth == 1:
                old = old or (found.name == "VERSION" and found.value.strip() == "2.1")
                card.append(found)
    if depth and card:
        yield card


def _whole(physical: Iterable[str]) -> Iterator[str]:
    """Lines of which a lone carriage return is no end where the first of their card has another:
    it stands in a value, unless what follows plainly is a property."""
    held = ""
    in_values = False
    for line in physical:
        if line[:11].upper() == "BEGIN:VCARD":
            in_values = line.endswith("\n")
        if held and _PLAINLY.match(line):
            yield held
            held = ""
        if in_values and line.endswith("\r"):
            held += f"{line[:-1]}\n"
            if len(held) > _LONGEST:
                raise _endless()
        else:
            yield held + line
            held = ""
    if held:
        yield held


def _unfolded(physical: Iterable[str]) -> Iterator[str]:
    """Logical lines. A blank at the start goes on, so does `=` at the end of quoted-printable."""
    held = ""
    soft = old = False
    for line in physical:
        text = line.rstrip("\r\n")
        if soft:
            held += text
        elif held and text[:1] in {" ", "\t"}:
            held += text if old and _is_folded_at(text, held) else text[1:]
        elif held and text and not _START.match(text):
            # Some programs forget to fold. A line that begins no property is still not lost.
            held += text if _is_binary(held) else "\n" + text
        else:
            if held:
                old = (old or held.upper().startswith("VERSION:2.1")) and held[
                    :6
                ].upper() != "BEGIN:"
                yield held
            held = text
        if len(held) > _LONGEST:
            raise _endless()
        soft = text.endswith("=") and "QUOTED-PRINTABLE" in held[:200].upper()
        if soft:
            held = held[:-1]
    if held:
        yield held


def _endless() -> FileRefused:
    return damaged("a property without end")


def _is_folded_at(text: str, held: str) -> bool:
    """Whether the blank belongs to the value: 2.1 folds at one and keeps it, later versions put one
    in, and so do programs that write 2.1; then there are two, or one where none can be."""
    return text[1:2] not in {" ", "\t"} and not _is_binary(held) and not _WEB.search(held)


def _is_binary(held: str) -> bool:
    return bool(re.search(r"BASE64|ENCODING=B", held[:200], re.IGNORECASE))


def _parse(line: str, encoding: str, *, old: bool) -> Property | None:
    # In our own cards a blank at the end is meant.
    match = _LINE.fullmatch(line if OUR_NAME in line[:200] else line.strip())
    if match is None:
        return None
    parameters: dict[str, list[str]] = {}
    for part in _PARAMETER.findall(match[3]):
        key, equals, value = part.partition("=")
        # 2.1 writes TEL;WORK;FAX, 3.0 TEL;TYPE=work,fax, 4.0 TYPE="work,fax".
        name = key.strip().upper() if equals else _bare(key)
        values = (value if equals else key).replace('"', "").split(",")
        parameters.setdefault(name, []).extend(found.strip() for found in values)
    value = _decoded(match[4], parameters, encoding)
    name = match[2].upper()
    return Property(
        group=(match[1] or "").lower(), name=name, parameters=parameters, value=value, old=old
    )


def _bare(key: str) -> str:
    return (
        "ENCODING"
        if key.strip().upper() in {"QUOTED-PRINTABLE", "BASE64", "B", "8BIT", "7BIT"}
        else "TYPE"
    )


def _decoded(value: str, parameters: dict[str, list[str]], encoding: str) -> str:
    way = parameters.get("ENCODING", [""])[0].upper()
    if way in {"BASE64", "B"}:
        return re.sub(r"\s+", "", value)
    charset = _charset(parameters.get("CHARSET", [""])[0], encoding)
    if way == "QUOTED-PRINTABLE":
        raw = quopri.decodestring(_bytes(value, encoding))
        return raw.decode(charset, "rapport-keep-bytes")
    if charset != encoding and not value.isascii():
        return _bytes(value, encoding).decode(charset, "rapport-keep-bytes")
    return value


def _bytes(value: str, encoding: str) -> bytes:
    """The bytes that a value was read from, undecodable ones included."""
    pieces = []
    for piece in re.split(f"({BYTE_MARKS.pattern})", value):
        mark = BYTE_MARKS.fullmatch(piece)
        pieces.append(bytes([ord(piece) - 0xDC00]) if mark else piece.encode(encoding, "replace"))
    return b"".join(pieces)


def _charset(asked: str, encoding: str) -> str:
    """A card may name its own encoding; in a UTF-16 file that can only be a leftover."""
    if not asked or encoding.startswith(("utf-16", "utf-32")):
        return encoding
    if asked.upper() in {"US-ASCII", "ASCII"}:
        return encoding if encoding in CHOICES else "cp1252"
    try:
        return checked(asked)
    except FileRefused:
        return encoding


def _cells(card: list[Property]) -> Iterator[tuple[str, str]]:
    """Column and text of every property, the preferred of its name first."""
    labels = {p.group: p.value for p in card if p.name == "X-ABLABEL" and p.group}
    places: list[str] = []
    given: set[tuple[str, str]] = set()
    for found in sorted(card, key=lambda p: p.rank):
        if found.name in _IGNORED:
            continue
        if ours := found.parameters.get(OUR_NAME):
            yield from _ours(found, ours[0])
        elif found.name == "N":
            yield from zip(_NAMES, _fields(found, 5), strict=True)
        elif found.name == "ADR":
            yield from _address(found, places)
        elif found.name == "ORG":
            company, _, unit = (part.strip() for part in _joined_units(found))
            yield "Company", company
            yield "Department", unit
        elif found.name in _PICTURES:
            yield _PICTURES[found.name], _picture(found)
        else:
            column, text = _one_value(found, labels)
            # Merged address books say the same twice, at the cost of a third address.
            if (column, text.casefold()) not in given:
                given.add((column, text.casefold()))
                yield column, text


def _one_value(found: Property, labels: dict[str, str]) -> tuple[str, str]:
    text = _plain(found.value, old=found.old)
    if found.name == "EMAIL":
        return "E-mail Address", re.sub(r"^mailto:", "", text, flags=re.IGNORECASE)
    if found.name in {"TEL", "X-MS-TEL"}:
        return _phone(found, labels), re.sub(r"^tel:", "", text, flags=re.IGNORECASE)
    if found.name == "GENDER":
        # Version 4 writes a letter, and may say more behind it.
        text = _GENDERS.get(text.partition(";")[0].strip().upper(), text)
    if any(text.startswith(year) for year in found.parameters.get("X-APPLE-OMIT-YEAR", ())):
        # A year that stands for none.
        text = f"-{text[4:]}"
    if _TEXTS.get(found.name) in {"Birthday", "Anniversary"}:
        text = _DATE.sub(r"\1-\2-\3", text)
    label = labels.get(found.group, "").replace("_$!<", "").replace(">!$_", "")
    if label and found.name.startswith("X-AB"):
        return label, _DATE.sub(r"\1-\2-\3", text) if found.name == "X-ABDATE" else text
    return _TEXTS.get(found.name, found.name), text


def _ours(found: Property, column: str) -> Iterator[tuple[str, str]]:
    """A property of a card that we wrote: its column, or the columns of an address."""
    if found.name != "ADR":
        yield column, _plain(found.value, old=False)
        return
    _box, _extended, street, *rest = (_split(found.value) + [""] * 7)[:7]
    places = ("line1", "line2", "line3", "city", "state_or_province", "postal_code", "country")
    streets = [*_split(street, ","), "", ""][:3]
    for place, text in zip(places, (*streets, *rest), strict=True):
        yield f"{column}_{place}", _plain(text, old=False)


def _phone(found: Property, labels: dict[str, str]) -> str:
    types = found.types
    if "assistantphone" in labels.get(found.group, "").lower():
        types = {"assistant"}
    return next((name for wanted, name in _PHONES if wanted <= types), "Phone")


def _address(found: Property, places: list[str]) -> Iterator[tuple[str, str]]:
    """The columns of an address; `places`: what those before it are called."""
    box, extended, street, *rest = _fields(found, 7)
    kinds = {"work": "Business ", "home": "Home "}
    place = next((name for kind, name in kinds.items() if kind in found.types), "")
    names = _ADDRESS
    if place in places:
        place, names = f"Address {len(places) + 1} - ", _OTHER_ADDRESS
    places.append(place)
    whole_street = "\n".join(part for part in (box, extended, street) if part)
    for name, text in zip(names, (whole_street, *rest), strict=True):
        yield place + name, text


def _joined_units(found: Property) -> tuple[str, str, str]:
    units = [_plain(part, old=found.old) for part in _split(found.value)]
    return units[0], "", ", ".join(unit for unit in units[1:] if unit)


def _fields(found: Property, count: int) -> list[str]:
    """The parts of a structured value, of which each may list several, as two first names."""
    parts = [_plain(part, old=found.old).strip() for part in _split(found.value)]
    return [*parts[:count], *[""] * (count - len(parts))]


def _split(value: str, sign: str = ";") -> list[str]:
    whole = value.replace("\\\\", "\0")  # an escaped backslash escapes nothing
    return [part.replace("\0", "\\\\") for part in re.split(rf"(?<!\\){sign}", whole)]


def _plain(text: str, *, old: bool) -> str:
    if "\\" not in text:
        return text
    if old and (_PATH.search(text) or not _TELLING.search(text)):
        return text.replace("\\;", ";").replace("\\,", ",")
    escaped = _NEWER if old else _ESCAPED
    return escaped.sub(lambda match: "\n" if match[1] in "nN" else match[1], text)


def _picture(found: Property) -> str:
    """An address as it is, an image as a data: URI, so that a picture is one cell of text."""
    if "ENCODING" not in found.parameters:
        return found.value
    try:
        binascii.a2b_base64(found.value.encode("ascii", "replace"), strict_mode=False)
    except binascii.Error:
        return ""
    known = found.types & {"jpeg", "jpg", "png", "gif"}
    return f"data:image/{next(iter(known), 'jpeg')};base64,{found.value}"
