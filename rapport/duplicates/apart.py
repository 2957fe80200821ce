"""What surely differs: quick looks at values as glances have them. Most pairs that share a key end
here. A no means only that the two must be compared.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial

from rapidfuzz.distance import OSA, JaroWinkler
from rapidfuzz.fuzz import token_sort_ratio

from .compare import (
    ALIKE,
    COMPARE,
    DIFFERENT,
    WORDS_ALIKE,
    Compare,
    day,
    figures,
    phone,
    text,
)  # fmt: skip
from .features import ONE
from .rules import Criterion

# Whether two values, or two bags of them, are DIFFERENT: neither is blank.
Differ = Callable[[str, str], bool]
_typos = OSA.distance
_jaro = JaroWinkler.similarity
# Of numbers so long one typing error leaves these first or these last digits.
_LONG, _END = 7, 3
# Digits of a date.
_DAY = 8


def by(criterion: Criterion) -> Differ:
    """What tells whether values differ under `criterion`."""
    return _QUICK.get(criterion) or partial(_differ, COMPARE[criterion])


def _differ(compare: Compare, ours: str, theirs: str) -> bool:
    if ONE in ours or ONE in theirs:
        for one in ours.split(ONE):
            for other in theirs.split(ONE):
                if compare(one, other) != DIFFERENT:
                    return False
        return True
    return compare(ours, theirs) == DIFFERENT


def _emails(ours: str, theirs: str) -> bool:
    if ONE in ours or ONE in theirs:
        return all(_emails(one, two) for one in ours.split(ONE) for two in theirs.split(ONE))
    # With figures in it somebody chose the name, and may have it elsewhere, too.
    return _typos(ours, theirs, score_cutoff=1) > 1 and (
        ours[:7] != theirs[:7] or not _has_figures(ours)
    )


@lru_cache(maxsize=1024)
def _has_figures(text: str) -> bool:
    return bool(figures(text))


def _phones(ours: str, theirs: str) -> bool:
    others = theirs.split(ONE)
    for other in others:
        if other[-_END:] in ours or other[:_END] in ours or len(other) < _LONG:
            break
    else:
        if len(ours) >= _LONG and (ONE not in ours or len(min(ours.split(ONE), key=len)) >= _LONG):
            return True
    return all(phone(one, other) == DIFFERENT for one in ours.split(ONE) for other in others)


def _texts(ours: str, theirs: str) -> bool:
    if (
        # Of a name that is a part of the other, or the other in one word, the first word is in it.
        ours.partition(" ")[0] in theirs
        or theirs.partition(" ")[0] in ours
        or ONE in ours
        or ONE in theirs
    ):
        return _differ(text, ours, theirs)
    return (
        _typos(ours, theirs, score_cutoff=2) > 2
        and _jaro(ours, theirs, score_cutoff=ALIKE) < ALIKE
        and token_sort_ratio(ours, theirs, score_cutoff=WORDS_ALIKE) < WORDS_ALIKE
    )


def _postcodes(ours: str, theirs: str) -> bool:
    if ONE in ours or ONE in theirs:
        return _differ(COMPARE[Criterion.POSTCODE], ours, theirs)
    # Of the same signs in another order nothing would be left.
    return bool(theirs.strip(ours)) and _typos(ours, theirs, score_cutoff=1) > 1


def _days(ours: str, theirs: str) -> bool:
    if (
        ours[6:] != theirs[6:]
        and ours[:4] != theirs[:4]
        and ours[4:6] != theirs[4:6]
        and len(ours) == len(theirs) == _DAY
    ):
        # As `day` has it: one typing error damages two of the three parts at most.
        return True
    return _differ(day, ours, theirs)


_QUICK: dict[Criterion, Differ] = {
    Criterion.EMAIL: _emails,
    Criterion.PHONE: _phones,
    Criterion.POSTCODE: _postcodes,
    Criterion.DATE: _days,
    Criterion.COMPANY: _texts,
    Criterion.CITY: _texts,
}
