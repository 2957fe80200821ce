"""Values on disk by id."""

from rapport.duplicates import shelf
from rapport.duplicates.shelf import Shelf
from rapport.meta.ids import new_id


def test_values_of_several_files_are_found_by_id(tmp_path):
    made = {str(new_id()): (n, ("a", "ä"), True) for n in range(50)}
    made |= {new_id().hex: (n, (), False) for n in range(50)}
    entries = list(made.items())
    for number, start in enumerate(range(0, 100, 30)):
        shelf.write(tmp_path / f"{number}.values", entries[start : start + 30])
    shelf.write(tmp_path / "empty.values", [])

    shelf.bind(tmp_path)
    found = Shelf(tmp_path)

    assert found.get(made) == made
    assert found.get([new_id().hex]) == {}
    found.close()


def test_ids_with_the_same_key_are_told_apart(tmp_path, monkeypatch):
    monkeypatch.setattr(shelf, "_key", lambda id_: 7)
    shelf.write(tmp_path / "one.values", [("a", 1), ("b", 2), ("c", 3)])

    shelf.bind(tmp_path)
    found = Shelf(tmp_path)

    assert found.get(["c", "a", "d"]) == {"c": 3, "a": 1}
    found.close()
