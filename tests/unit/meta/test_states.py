"""States and their reasons."""

import pytest

from rapport.meta.states import States, Status

MACHINE = States(
    states={0: "Open", 1: "Closed"},
    statuses=(
        Status(value=1, label="New", state=0),
        Status(value=2, label="Waiting", state=0, default=True),
        Status(value=3, label="Done", state=1),
    ),
    transitions=frozenset({(0, 1)}),
)


@pytest.mark.parametrize(("state", "status"), [(0, 2), (1, 3)])
def test_default_reason_is_the_marked_one_or_the_first(state, status):
    assert MACHINE.default(state) == status


def test_reason_knows_its_state():
    assert [MACHINE.state_of(value) for value in (1, 2, 3)] == [0, 0, 1]


@pytest.mark.parametrize("ask", [MACHINE.state_of, MACHINE.status])
def test_unknown_reason_is_an_error(ask):
    with pytest.raises(KeyError):
        ask(4)
