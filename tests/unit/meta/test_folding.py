"""Folded text: what makes lists and search the same on both databases."""

import pytest
from hypothesis import given, strategies as st

from rapport.meta.folding import SORT_LENGTH, digits, fold, sort_key

texts = st.text(st.characters(exclude_categories=["Cs"]))


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("  Ann   MILLER ", "ann miller"),
        ("Ærø Čapek", "aero capek"),
        ("Straße", "strasse"),
        ("STRASSE", "strasse"),
        ("Łódź", "lodz"),
        ("Müller", "muller"),
        ("Mu\u0308ller", "muller"),
        ("ACME™", "acmetm"),
        ("ﬁne", "fine"),
        ("İstanbul ılık", "istanbul ilik"),
        ("O’Neil", "o'neil"),
        ("a\u00a0b\u2003c", "a b c"),
        ("", ""),
    ],
)
def test_text_is_folded(text, folded):
    assert fold(text) == folded


@given(texts)
def test_folding_twice_changes_nothing(text):
    assert fold(fold(text)) == fold(text)


@given(texts)
def test_case_does_not_matter(text):
    # Not every letter comes back from its capital (ı, ſ), hence capitals on both sides.
    assert fold(text.upper().lower()) == fold(text.upper())


@given(texts)
def test_folded_text_is_one_line_without_blanks_at_its_ends(text):
    assert fold(text).split() == (fold(text).split(" ") if fold(text) else [])


def test_sort_key_is_cut_after_folding():
    assert sort_key("ß" * SORT_LENGTH) == "s" * SORT_LENGTH


def test_digits_of_a_phone_number():
    assert digits("+49 (30) 12-34") == "49301234"
