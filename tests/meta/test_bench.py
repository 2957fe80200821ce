"""What benches measure with."""

from rapport.bench import people


def test_list_of_people_is_the_same_in_every_run_and_has_a_tenth_as_many_companies(tmp_path):
    rows = list(people.people(2_000))

    assert rows == list(people.people(2_000))
    assert {len(row) for row in rows} == {len(people.HEADER)} == {15}
    assert 150 < len({row[3] for row in rows}) <= 200
    assert len({people.company(number) for number in range(20_000)}) == 20_000
    people.write_list(tmp_path / "people.csv", 100)
    assert (tmp_path / "people.csv").read_text("utf-8").count("@") >= 90
