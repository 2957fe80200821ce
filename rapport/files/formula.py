"""Text that a spreadsheet would run as a formula: how our CSV files defuse it, and take it back.

A cell that begins with one of `DANGER` gets an apostrophe before it, and so does one that already
looks defused; so taking one apostrophe off gives back what was there. Numbers and phone numbers
(-5, +49 30 123) stay as they are: they are no programs, and people want to see them.
"""

from __future__ import annotations

import re

DANGER = "=+-@\t\r\n＝＋－＠"
_DEFUSED = tuple(f"'{sign}" for sign in f"{DANGER}'")
_HARMLESS = re.compile(r"[+-][0-9 ().,/\u00a0-]*\Z")


# The first signs of a text that `escape` changes, behind the NUL that no text contains.
_RUNS = re.compile(
    f"\0(?:[=@\t\r\n＝＋－＠]|'[{re.escape(DANGER)}']"
    "|[+-](?!(?=[^\0]*[0-9])[0-9 ().,/\u00a0-]*(?:\0|\\Z)))"
)


def any_runs(joined: str) -> bool:
    """Whether `escape` would change some of the texts that are joined by NULs: one look instead of
    one each."""
    return bool(_RUNS.search(f"\0{joined}"))


def escape(text: str) -> str:
    if text.startswith(_DEFUSED):
        return f"'{text}"
    if text[:1] and text[0] in DANGER and not _is_harmless(text):
        return f"'{text}"
    return text


def unescape(text: str) -> str:
    return text[1:] if text.startswith(_DEFUSED) else text


def _is_harmless(text: str) -> bool:
    return bool(_HARMLESS.match(text)) and any(sign.isdigit() for sign in text)
