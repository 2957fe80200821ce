"""Ranges of the index of match keys."""

from rapport.duplicates import blocks


def test_parts_of_a_range_leave_nothing_out(monkeypatch):
    monkeypatch.setattr(blocks, "TOGETHER", 10)

    parts = [*blocks.parts_of(-50, 53, 38)]

    assert len(parts) == 4
    assert [hash_ for begin, end in parts for hash_ in range(begin, end + 1)] == [*range(-50, 54)]
