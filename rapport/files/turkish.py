"""Turkish or Icelandic: the six letters in which Windows-1254 and 1252 differ, told by words.

ğ, ı, ş and İ, Ğ, Ş have the bytes of ð, ý, þ and Ý, Ð, Þ. A text with few of them says too little
by how frequent its letters are; but words say where such a letter can stand.
"""

from __future__ import annotations

import re

_TELLING = re.compile(b"[\xd0\xdd\xde\xf0\xfd\xfe]")
_WORD = re.compile(r"[^\W\d_]*[ðþý][^\W_\d]*", re.IGNORECASE)
# As they look when they are read as Windows-1252: where neither Icelandic nor Czech (which shares
# the byte of ý) has such a letter: Barış, taşlı, ışık, Kırşehir; yıl, balcı, altın, İzmir; -oğlu;
# beside ç, ü, “ay” and “öy”.
_TURKISH = re.compile(
    r"\w\wþ$|þ[bcdfgklmnpstzç]|þý[kmnz]|ýþ|þeh|^þ(?:a[bfhyz]|im)"
    r"|yý|cý|ý\w{1,3}ý[bcdfgjklnprstvzçþð]|^ý(?:[bchnpz]|l[bghkmnpst]|s[klmrt]|rf)"
    r"|oðlu$"
    r"|ç|ü|ay|öy",
    re.IGNORECASE,
)
# Letters that Turkish lacks; a consonant before ð, which is never ğ; how Icelandic words begin and
# end, and the most frequent ones.
_NOT_TURKISH = re.compile(
    r"[áéíóúæåøã]|[bcdfgjklmnprstvxzþ]ð|^ð|^þ(?:[rvj]|or|ý[ðsftrl])|(?<!^u)ðurr?$"
    r"|^(?:að|með|við|það|eða|þau|þar|þeir|þeim)$|^guð|^lýð|þing|[gð]ný$",
    re.IGNORECASE,
)


def is_turkish(data: bytes) -> bool | None:
    """Whether the words with these letters are Turkish ones, and none is not, or most are not; None
    when they do not tell. Of texts that pass for Windows-1252 or 1254."""
    if not _TELLING.search(data):
        return None
    words = set(_WORD.findall(data.decode("cp1252", "replace")))
    yes = sum(bool(_TURKISH.search(word)) for word in words)
    no = sum(bool(_NOT_TURKISH.search(word)) for word in words)
    if no:
        return False if no > yes else None
    return True if yes else None
