"""Case and accent blind text, the same on both databases: sort keys, search text, match keys."""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

# Letters that Unicode does not decompose but that people type without the stroke.
_STROKES = str.maketrans(
    {
        "ß": "ss",
        "ø": "o",
        "đ": "d",
        "ð": "d",
        "ł": "l",
        "æ": "ae",
        "œ": "oe",
        "þ": "th",
        "ı": "i",
        "ħ": "h",
        "’": "'",
        "\u00a0": " ",
    }
)
_BLANKS = re.compile(r"\s+")
_DIGITS = re.compile(r"\D+")
_NO_DIGITS = bytes(code for code in range(128) if not chr(code).isdigit())
SORT_LENGTH = 120


def fold(text: str) -> str:
    """`text` in lower case, without accents, blanks collapsed. 'Ærø  Čapek' -> 'aero capek'."""
    return _fold(text) if len(text) > _KEPT_LENGTH else _fold_once(text)


def _fold(text: str) -> str:
    if text.isascii():
        return " ".join(text.lower().split())
    # Twice: "™" decomposes to capitals, and what lower case makes of some letters decomposes again.
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    bare = "".join(c for c in decomposed if not unicodedata.combining(c))
    return _BLANKS.sub(" ", bare.translate(_STROKES)).strip()


# A name is folded for sort text, search text and match keys, one after the other.
_KEPT_LENGTH = 100
_fold_once = lru_cache(maxsize=4_000)(_fold)


def fold_all(texts: Iterable[str]) -> list[str]:
    """`fold` of each: most texts of a column need nothing but small letters."""
    return [" ".join(text.lower().split()) if text.isascii() else fold(text) for text in texts]


def sort_key(text: str) -> str:
    """What lists sort a name by: folded and cut to `SORT_LENGTH` characters."""
    return fold(text)[:SORT_LENGTH]


def digits(text: str) -> str:
    """Only the digits of `text`."""
    if text.isascii():
        # Five times as quick, and asked for every phone number several times.
        return text.encode().translate(None, _NO_DIGITS).decode()
    return _DIGITS.sub("", text)
