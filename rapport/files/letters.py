"""Which of the eight-bit encodings makes words of a text: frequent letters, in the right places."""

from __future__ import annotations

import codecs
import unicodedata

from rapport.files.turkish import is_turkish

_WESTERN = "éèêëàâäáåãæçíîïñóôöòõøúûüùß"
_CENTRAL = "ąćęłńóśźżáäčďéěíňöřšťúůüýžőűăâîşţ"
_CYRILLIC = "оеаинтсрвлкмдпуяыьгзбч"
# Encoding and the letters that are frequent in its languages. The first one wins a draw.
_FREQUENT = {
    "cp1252": _WESTERN,
    "cp1250": _CENTRAL,
    "iso8859-2": _CENTRAL,
    "cp1251": _CYRILLIC,
    "koi8-r": _CYRILLIC,
    "iso8859-5": _CYRILLIC,
    "cp866": _CYRILLIC,
    "cp1253": "αοιεστνηρπκμλυςάίόέή",
    "cp1254": "ığşçöüâ",
    "cp1255": "יוהלארתשמבנ",
    "cp1256": "اليمنورتبةد",
    "mac-roman": _WESTERN,
    "cp850": _WESTERN,
    "cp852": _CENTRAL,
}
_DEFAULT = "cp1252"
# They differ in six letters: Western European, and Turkish.
_ALIKE = ("cp1252", "cp1254")
# Letters of single languages: a text in none of the western ones may be in one of these.
_WEST = (
    "äöüßé", "àâçéèêëîïôœùûüÿ", "áéíñóúü", "áâãàçéêíóôõúü", "àèéìîòóù", "åäæøöéü", "áéíóúýþæöð",
    "éèëêïöóüáçâä",
)  # fmt: skip
_CENTER = ("áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "ąćęłńóśźż", "áéíóöőúüű", "ăâîşţ", "čćđšž")
# So much better must another one be: Western European is by far the most frequent.
_LEAD, _LEAST = 0.25, 0.65
# Nearly all letters of a text are of one language; so few of them say nothing of it.
_ONE, _TELLING = 0.97, 8
_LATIN = {"cp1252", "cp1250", "iso8859-2", "cp1254", "mac-roman", "cp850", "cp852"}
_LOOK_AT = 20_000
# Fewer foreign signs than this tell nothing.
_ENOUGH = 4
_APOSTROPHE = "\u2019"
# At the edge of a word these are as good as letters.
_SIGNS = frozenset("£€©®°§«»“”‘’„–—…¿¡ºª½²³·•™´`\u00a0")


def likeliest(head: bytes) -> tuple[str, float]:
    """The encoding that fits the beginning of a text best, and how well, up to 1."""
    head = head[:_LOOK_AT]
    best, score = _by_letters(head)
    if best in _ALIKE and (found := is_turkish(head)) is not None:
        best = _ALIKE[found]
    return best, score


def _by_letters(head: bytes) -> tuple[str, float]:
    if sum(byte > 0x7F for byte in head) < _ENOUGH:
        return _DEFAULT, 0.0
    scores = {name: _score(head, name) for name in _FREQUENT}
    best = max(scores, key=lambda name: (round(scores[name], 2), _of_its_own(head, name)))
    if scores[best] < max(scores[_DEFAULT] + _LEAD, _LEAST):
        best = _DEFAULT
        center = max("cp1250", "iso8859-2", key=lambda name: scores[name])
        if _of_one(head, center, _CENTER) > _ONE > _of_one(head, best, _WEST) + _LEAD:
            best = center
    return best, scores[best]


def _of_its_own(data: bytes, name: str) -> float:
    """How much of a text in Latin letters is of one language of an encoding: ü, ö and ß in that of
    Macs are letters of several in that of Central Europe."""
    if _FREQUENT[name] == _WESTERN:
        return _of_one(data, name, _WEST)
    return _of_one(data, name, _CENTER) if _FREQUENT[name] == _CENTRAL else 0.0


def _of_one(data: bytes, name: str, languages: tuple[str, ...]) -> float:
    """The most foreign letters that are of one and the same language."""
    text = codecs.decode(data, name, "replace").lower()
    letters = [sign for sign in text if sign > "\x7f" and sign.isalpha()]
    most = max(sum(sign in language for sign in letters) for language in languages)
    return most / max(len(letters), _TELLING)


def _score(data: bytes, name: str) -> float:
    text = codecs.decode(data, name, "replace")
    frequent, latin = set(_FREQUENT[name]), name in _LATIN
    found = [
        _fits(before, sign, after, frequent, latin=latin)
        for before, sign, after in zip(" " + text, text, text[1:] + " ", strict=False)
        if sign > "\x7f"
    ]
    return sum(found) / max(len(found), 1)


def _fits(before: str, sign: str, after: str, frequent: set[str], *, latin: bool) -> float:
    """How well a sign stands between its neighbours: from -2, which is no text, to 1."""
    if sign == "\ufffd" or unicodedata.category(sign) == "Cc":
        return -2
    if not sign.isalpha():
        inside = before.isalpha() and after.isalpha()
        if inside and sign != _APOSTROPHE:
            return -1
        return 1.0 if sign in _SIGNS else 0.2
    if sign.isupper() and (before.islower() or (before.isupper() and after.islower())):
        return -1
    if latin:
        # Accents one after the other are letters of another script.
        if min(before, after) > "\x7f" and before.isalpha() and after.isalpha():
            return -0.5
    elif (before.isascii() and before.isalpha()) or (after.isascii() and after.isalpha()):
        return -1
    elif sign.isupper() and before.isupper():
        # All in capitals: it may be so, or it is a script that has none.
        return 0.5
    return 1.0 if sign.lower() in frequent else 0.4
