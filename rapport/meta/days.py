"""Days and moments as people write them, in several languages. Knows no field."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from .folding import fold

_ISO_DAY = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
# 20260131, as the shorter form of ISO 8601 and cards write it.
_SHORT_DAY = re.compile(r"((?:18|19|20|21)\d\d)(0[1-9]|1[0-2])([0-3]\d)(?!\d)")
_NUMERIC_DAY = re.compile(r"(\d{1,4})[./\- ](\d{1,2})[./\- ](\d{1,4})\.?")
_NAMED_DAY = re.compile(
    r"(\d{1,2})(?:st|nd|rd|th|er)?\.?[\s/-]*(?:de\s+)?([^\W\d_]{3,})\.?,?[\s/-]*(?:de\s+)?"
    r"(\d{4}|\d{2})(?!\d)"
)
_MONTH_FIRST = re.compile(r"([^\W\d_]{3,})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})(?!\d)")
# English, German, French, Spanish, Italian, Portuguese and Dutch, without accents.
_MONTHS = {
    word: number
    for number, words in enumerate(
        (
            "jan january januar jaenner janner janvier janv enero ene gennaio gen janeiro januari",
            "feb february februar fevrier fev fevr febrero febbraio fevereiro februari",
            "mar march marz maerz mrz mars marzo marco maart mrt",
            "apr april avril avr abril abr aprile",
            "may mai mayo maggio mag maio mei",
            "jun june juni juin junio giugno giu junho",
            "jul july juli juillet juil julio luglio lug julho",
            "aug august aout agosto ago augustus",
            "sep sept september septembre septiembre settembre set setembro",
            "oct october oktober okt octobre octubre ottobre ott outubro out",
            "nov november novembre noviembre novembro",
            "dec december dezember dez decembre diciembre dic dicembre dezembro",
        ),
        1,
    )
    for word in words.split()
}
_CLOCK = re.compile(r"[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?\s*(am|pm)?\s*", re.IGNORECASE)
_OFFSET = re.compile(r"(?:UTC|GMT)?([+-])(\d{1,2}):?(\d{2})?", re.IGNORECASE)


def read_day(text: str, order: str) -> date | None:
    """The day that `text` means, also when it says a time of it; None when it is none. `order`:
    ymd, dmy or mdy, for those written with numbers only."""
    found = _day(text, order)
    if found is None:
        return None
    day, rest = found
    return day if not rest or rest == "T" or _CLOCK.match(rest) else None


def read_moment(text: str, order: str, time_zone: str) -> datetime | None:
    """The moment that `text` means, in UTC; None when it is none. `time_zone`: of one that says
    none."""
    found = _day(text, order)
    if found is None:
        return None
    day, rest = found
    if not rest:
        return _utc(datetime.combine(day, time(), ZoneInfo(time_zone)))
    said = _CLOCK.match(rest)
    clock = _clock(said) if said else None
    if said is None or clock is None:
        return None
    zone = rest[said.end() :].strip()
    if zone.upper() in {"", "Z", "UTC", "GMT"}:
        return _utc(datetime.combine(day, clock, UTC if zone else ZoneInfo(time_zone)))
    if offset := _OFFSET.fullmatch(zone):
        sign, hours, minutes = offset.groups()
        away = timedelta(hours=int(hours), minutes=int(minutes or 0))
        return _utc(datetime.combine(day, clock, UTC), -away if sign == "+" else away)
    return None


def _clock(said: re.Match[str]) -> time | None:
    hour, half = int(said[1]), (said[4] or "").lower()
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    try:
        return time(hour, int(said[2]), int(said[3] or 0))
    except ValueError:
        return None


def _utc(moment: datetime, shift: timedelta = timedelta()) -> datetime | None:
    try:
        return moment.astimezone(UTC) + shift
    except OverflowError:  # in the first or last hours of the calendar
        return None


def _day(text: str, order: str) -> tuple[date, str] | None:
    """The day that `text` begins with, and the rest of it."""
    if found := _ISO_DAY.match(text) or _SHORT_DAY.match(text):
        year, month, day = (int(part) for part in found.groups())
    elif found := _NUMERIC_DAY.match(text):
        first, second, third = found.groups()
        if len(first) == 4:
            year, month, day = int(first), int(second), int(third)
        elif order == "mdy":
            month, day, year = int(first), int(second), int(third)
        else:  # a year never comes first with two digits: ymd means ISO, so read day first
            day, month, year = int(first), int(second), int(third)
        if year < 100 and len(third) <= 2:
            year += 2000 if year < 50 else 1900
    elif found := _NAMED_DAY.match(text):
        day, month, year = int(found[1]), _month(found[2]), int(found[3])
        if len(found[3]) == 2:
            year += 2000 if year < 50 else 1900
    elif found := _MONTH_FIRST.match(text):
        month, day, year = _month(found[1]), int(found[2]), int(found[3])
    else:
        return None
    try:
        return date(year, month, day), text[found.end() :]
    except ValueError:
        return None


def _month(name: str) -> int:
    """The month of this name, 0 when it is none."""
    return _MONTHS.get(fold(name), 0)
