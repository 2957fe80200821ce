"""Phone numbers of a file that says its country once and not in every cell."""

from __future__ import annotations

from functools import lru_cache

from rapport.duplicates import normalise
from rapport.duplicates.keys import phone_key


def form(value: str, *, country: str = "") -> str:
    """A number without regard to its format, with the prefix of its country where that is known;
    '' when it is none."""
    return _read(value, country)[0] if country else normalise.phone(value)


def keys(value: str, country: str = "") -> set[int]:
    """The match keys that a stored record may have for this number: with and without prefix."""
    spellings = (value, *_read(value, country)) if country else (value,)
    return {key for text in spellings if (key := phone_key(text))}


@lru_cache(maxsize=4_000)
def _read(value: str, country: str) -> tuple[str, str]:
    """The number as dialled from abroad, and at home."""
    import phonenumbers  # loads tables that nothing else needs
    from phonenumbers import PhoneNumberFormat

    try:
        number = phonenumbers.parse(value, country)
    except phonenumbers.NumberParseException:
        return normalise.phone(value), value
    return (
        phonenumbers.format_number(number, PhoneNumberFormat.E164),
        phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL),
    )


def countries() -> frozenset[str]:
    """The countries that can be said, by their two letters."""
    import phonenumbers

    return frozenset(phonenumbers.SUPPORTED_REGIONS)
