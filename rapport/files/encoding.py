"""Which encoding a text file is in, how sure that is, and what else it could be."""

from __future__ import annotations

import codecs
import quopri
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rapport.files.letters import likeliest
from rapport.files.refusal import FileRefused, gettext_noop
from rapport.files.textstream import BLOCK

Sure = Literal["certain", "likely", "guess"]

# Codec and the name that people know it by, in the order in which they are proposed.
CHOICES: dict[str, str] = {
    "utf-8": "Unicode (UTF-8)",
    "cp1252": "Western European (Windows-1252)",
    "iso8859-1": "Western European (Latin-1)",
    "iso8859-15": "Western European (Latin-9)",
    "cp1250": "Central European (Windows-1250)",
    "iso8859-2": "Central European (Latin-2)",
    "cp1251": "Cyrillic (Windows-1251)",
    "koi8-r": "Cyrillic (KOI8-R)",
    "iso8859-5": "Cyrillic (ISO 8859-5)",
    "cp866": "Cyrillic (DOS)",
    "cp1253": "Greek (Windows-1253)",
    "cp1254": "Turkish (Windows-1254)",
    "cp1255": "Hebrew (Windows-1255)",
    "cp1256": "Arabic (Windows-1256)",
    "cp1257": "Baltic (Windows-1257)",
    "cp1258": "Vietnamese (Windows-1258)",
    "cp874": "Thai (Windows-874)",
    "mac-roman": "Western European (Mac)",
    "cp850": "Western European (DOS)",
    "cp852": "Central European (DOS)",
    "cp437": "United States (DOS)",
    "cp932": "Japanese (Shift-JIS)",
    "euc-jp": "Japanese (EUC)",
    "gb18030": "Chinese, simplified (GB 18030)",
    "big5": "Chinese, traditional (Big5)",
    "cp949": "Korean (Windows-949)",
    "utf-16-le": "Unicode (UTF-16, little endian)",
    "utf-16-be": "Unicode (UTF-16, big endian)",
    "utf-32-le": "Unicode (UTF-32, little endian)",
    "utf-32-be": "Unicode (UTF-32, big endian)",
}
_NAMES = {codecs.lookup(name).name: name for name in CHOICES}
# The two marks of UTF-16 also begin those of UTF-32: longest first.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_HEAD = 65_536
_WESTERN = frozenset({"cp1252", "cp1250", "cp1254", "mac-roman"})
# First bytes of the characters that are common in each; names are written with those.
_EAST_ASIAN = {
    "cp932": (*range(0x82, 0x98),),
    "cp949": (*range(0xB0, 0xC9),),
    "gb18030": (*range(0xB0, 0xD8),),
    "big5": (*range(0xA4, 0xC7),),
    "euc-jp": (0xA4, 0xA5, *range(0xB0, 0xD0)),
}
# Second bytes that are no ASCII: nearly all, except where half of them may be.
_HIGH_TRAILS = {"cp932": 0.3, "big5": 0.3}
_MULTIBYTE = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)
_FOREIGN = re.compile(r"[^\x00-\x7f]+")

# A line of a card that quotes its letters, with the lines that go on with it.
_QUOTED = re.compile(rb"(?im)^([^:\r\n]*QUOTED-PRINTABLE[^:\r\n]*):((?:.*=\r?\n)*.*)$")


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """`sure` is "certain" (a mark, or plain ASCII), "likely", or "guess": let a person look."""

    name: str
    sure: Sure
    bom: bool = False
    alternatives: tuple[str, ...] = ()


def checked(name: str) -> str:
    """Our name of an encoding that a person or a recipe asked for."""
    try:
        found = _NAMES.get(codecs.lookup(name.strip()).name)
    except (LookupError, ValueError, UnicodeError):
        found = None
    if found is None and name.lower().replace("_", "-") == "utf-8-sig":
        found = "utf-8"
    if found is None:
        raise FileRefused(
            "encoding",
            gettext_noop("The encoding “%(encoding)s” is not known."),
            gettext_noop("Choose one of the encodings in the list."),
            encoding=name[:60],
        )
    return found


def sniff_encoding(path: Path) -> Encoding:
    with path.open("rb") as raw:
        head = raw.read(_HEAD)
    for mark, name in _MARKS:
        if head.startswith(mark):
            return Encoding(name=name, sure="certain", bom=True, alternatives=_others(head, name))
    wide = _by_zero_bytes(head)
    if wide:
        return Encoding(name=wide, sure="likely", alternatives=_others(head, wide))
    return _narrow(path, head)


def _by_zero_bytes(head: bytes) -> str | None:
    """UTF-16 and UTF-32 without a mark, told by where their zero bytes stand."""
    if b"\0" not in head[:4096] or len(head) < 4:
        return None
    sample = head[: len(head) // 4 * 4][:4096]
    zeros = [sample[offset::4].count(0) for offset in range(4)]
    quarter = len(sample) // 4
    for name, pattern in (("utf-32-le", (0, 1, 1, 1)), ("utf-32-be", (1, 1, 1, 0))):
        if all(
            z > quarter * 0.6 if p else z < quarter * 0.2
            for z, p in zip(zeros, pattern, strict=True)
        ):
            return name
    even, odd = zeros[0] + zeros[2], zeros[1] + zeros[3]
    # East Asian text has few zero bytes, so the side matters more than the share.
    if max(even, odd) < max(quarter * 0.3, 2) or min(even, odd) > max(even, odd) * 0.1:
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _narrow(path: Path, head: bytes) -> Encoding:
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    ascii_only = True
    try:
        with path.open("rb") as raw:
            while block := raw.read(BLOCK):
                ascii_only = ascii_only and block.isascii()
                decoder.decode(block)
        decoder.decode(b"", True)
    except UnicodeError:
        return _damaged_or_eight_bit(path, head)
    if ascii_only:
        return _of_quoted(head) or Encoding(name="utf-8", sure="certain")
    return Encoding(name="utf-8", sure="likely", alternatives=_others(head, "utf-8"))


def _of_quoted(head: bytes) -> Encoding | None:
    """What old cards are in that write letters as =E4 and do not say which; None when it is UTF-8
    after all."""
    if head.lstrip()[:11].upper() != b"BEGIN:VCARD":
        return None
    texts = [text for told, text in _QUOTED.findall(head) if b"CHARSET" not in told.upper()]
    data = quopri.decodestring(b"\n".join(texts))
    if data.isascii() or _decodes(data, "utf-8", final=False):
        return None
    name = _eight_bit(data)
    return Encoding(name=name, sure="guess", alternatives=_others(data, name))


def _damaged_or_eight_bit(path: Path, head: bytes) -> Encoding:
    good = bad = 0
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    with path.open("rb") as raw:
        while block := raw.read(BLOCK):
            good += len(_MULTIBYTE.findall(block))
            bad += decoder.decode(block).count("\ufffd")
    bad += decoder.decode(b"", True).count("\ufffd")
    # One damaged character does not make a large UTF-8 file something else. In Western texts two
    # signs that fit each other are rarely there by chance, in East Asian ones they often are.
    name = "utf-8" if good >= 20 * bad else _eight_bit(head)
    if good >= 3 * bad and name in _WESTERN:
        name = "utf-8"
    return Encoding(name=name, sure="guess", alternatives=_others(head, name))


def _eight_bit(head: bytes) -> str:
    """Windows-1252, unless the text makes better words in another encoding."""
    shares = {name: _common_share(head, name) for name in _EAST_ASIAN}
    best = max(shares, key=lambda name: shares[name])
    found, score = likeliest(head)
    return best if shares[best] > max(score, 0.7) else found


def _common_share(head: bytes, name: str) -> float:
    try:
        text = codecs.getincrementaldecoder(name)("strict").decode(head)
    except UnicodeError:
        return 0.0
    pairs = [character.encode(name) for character in "".join(_FOREIGN.findall(text))]
    # Accented letters that are taken for ideographs take an ASCII letter with them: M黮ler.
    if sum(pair[-1] > 0x7F for pair in pairs) < len(pairs) * _HIGH_TRAILS.get(name, 0.9):
        return 0.0
    return sum(pair[0] in _EAST_ASIAN[name] for pair in pairs) / max(len(pairs), 1)


def _others(head: bytes, chosen: str) -> tuple[str, ...]:
    wide = b"\0" in head
    return tuple(
        name
        for name in CHOICES
        if name != chosen
        and name.startswith(("utf-16", "utf-32")) == wide
        and _decodes(head, name, final=False)
    )


def _decodes(data: bytes, name: str, *, final: bool) -> bool:
    try:
        codecs.getincrementaldecoder(name)("strict").decode(data, final)
    except UnicodeError:
        return False
    return True
