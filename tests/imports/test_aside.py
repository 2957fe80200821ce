"""A process of its own looks at some of the pairs of a plan; whoever does, it comes to the same."""

import os
import random
import select
import signal

import pytest

from rapport import processes
from rapport.duplicates.columns import Columns
from rapport.duplicates.room import Room, room_for
from rapport.imports import aside, child, flow, plan
from rapport.imports.aside import Aside, Glances, Question
from rapport.imports.compact import hold
from rapport.imports.seen import Earlier
from rapport.meta.registry import registry
from tests.factories import make_user

from .bringing import describe
from .test_quick import messy, told

CONTACT = registry["contact"]
PAGE = 4096

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes by fork here")


@pytest.fixture
def room(db):
    return room_for(CONTACT, {"contact"})


@pytest.fixture
def known(room):
    """The rows of a file, and questions about them: who of those before each may be the same."""
    pick, earlier, questions = random.Random(7), Earlier(), []
    earlier.trust(room.shape.told)
    values = [
        {
            "first_name": "Eva", "last_name": pick.choice(("Stone", "Mill")),
            "email": pick.choice(("", f"eva{number}@x.example", f"e{number % 9}@y.example")),
            "address1_city": pick.choice(("", "Berlin", "Bonn")),
            "description": "\udc80" if number == 3 else "",
        }
        for number in range(150)
    ]  # fmt: skip
    glances = room.shape.glances(Columns(CONTACT, values, [{}] * len(values)))
    for number, (one, glance) in enumerate(zip(values, glances, strict=True)):
        earlier.enter(number + 1, [number], hold(one, {}), glance)
        others = pick.sample(range(number), min(number, 5))
        questions.append(Question(number, number, glance, others))
    yield earlier, questions[1:]
    earlier.close()


@pytest.fixture
def helped(known, room):
    """`helped`: who is asked besides ourselves."""
    found = Aside(known[0], room)
    yield found
    found.close()


def by_ourselves(known, room):
    earlier, questions = known
    return dict(aside.looked_at(earlier, room, questions))


def forbidden(*_arguments):
    raise AssertionError("It was to be asked aside")


def test_the_other_process_finds_the_same(known, room, helped, monkeypatch):
    wanted = by_ourselves(known, room)
    assert 20 < len(wanted) < len(known[1])
    monkeypatch.setattr(aside, "looked_at", forbidden)

    found = []
    for start in range(0, len(known[1]), 40):
        helped.ask(known[1][start : start + 40])
        while helped.is_busy:
            found += helped.answers(wait=True)

    assert dict(found) == wanted
    assert len(found) == len(wanted)


def test_what_both_of_us_find_is_all(known, room, helped, monkeypatch):
    monkeypatch.setattr(aside, "ROWS", 7)
    glances = Glances(known[0], room, helped)
    for question in known[1]:
        glances.ask(question)

    found = glances.answers()

    assert dict(found) == by_ourselves(known, room)
    assert len(found) == len(dict(found))


@pytest.mark.parametrize("asked", [False, True], ids=["before it is asked", "while it is asked"])
def test_nothing_is_lost_when_it_is_gone(known, room, helped, asked):
    if asked:
        os.kill(helped._pid, signal.SIGSTOP)
        helped.ask(known[1][:20])
        helped.ask(known[1][20:40])
        assert not helped.has_time
    questions = known[1][40:] if asked else known[1]
    glances = Glances(known[0], room, helped)
    os.kill(helped._pid, signal.SIGKILL)
    for question in questions:
        glances.ask(question)

    assert dict(glances.answers()) == by_ourselves(known, room)
    assert not helped.is_busy


def test_it_is_only_asked_about_the_rules_that_it_knows(known, room, helped, monkeypatch):
    monkeypatch.setattr(Aside, "ask", forbidden)
    others = Room(CONTACT, tuple(judge.rule for judge in room.judges["contact"]), {})
    glances = Glances(known[0], others, helped)
    for question in known[1]:
        glances.ask(question)

    assert dict(glances.answers()) == by_ourselves(known, room)


def test_answers_always_fit_into_the_smallest_pipe():
    assert aside.WAITING * (4 + 4 * (2 * aside.ROWS + aside.PAIRS)) <= PAGE


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="nothing to watch a process by")
def test_it_ends_when_nobody_can_ask_any_more(known, room):
    found = Aside(known[0], room)
    watched = os.pidfd_open(found._pid)
    found.close()

    assert select.select([watched], [], [], 0)[0]
    os.close(watched)


def test_plan_is_the_same_with_and_without(db, monkeypatch):
    monkeypatch.setattr(plan, "PREVIEWED", 0)
    by, asked, ask = make_user(roles=("salesperson",)), [], Aside.ask

    def counted(self, questions):
        asked.append(len(questions))
        ask(self, questions)

    def planned():
        upload = describe(messy(300, 5), by=by)
        flow.plan_now(upload, by=by)
        return told(upload)

    monkeypatch.setattr(Aside, "ask", counted)
    alone = planned()
    assert asked == []
    monkeypatch.setattr(plan, "MANY", 0)
    monkeypatch.setattr(processes, "processors", lambda: 2)
    monkeypatch.setattr(child, "can_fork", lambda: True)
    monkeypatch.setattr(aside, "ROWS", 2)

    assert planned() == alone
    assert sum(asked) >= aside.WAITING * aside.ROWS
