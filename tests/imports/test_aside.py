"""A process of its own looks at some of the pairs of a plan; whoever does, it comes to the same."""

import os
import random
import signal

import pytest

from rapport.duplicates.columns import Columns
from rapport.duplicates.room import Room, room_for
from rapport.imports import ahead, aside, flow, plan
from rapport.imports.ahead import Ahead, ReaderDied, path_for
from rapport.imports.aside import Aside, Glances, Question
from rapport.imports.compact import hold
from rapport.imports.seen import Earlier
from rapport.meta.registry import registry
from tests.factories import make_user
from tests.installations import wait_for

from .bringing import describe
from .test_ahead import block
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
def reading(known, room, tmp_path):
    """`reading(blocks)`: who reads these ahead and then helps, and who is asked."""
    made = []

    def begin(blocks=()):
        helper = Aside(known[0], room)
        make = lambda turns: iter(() if turns.turn else blocks)  # noqa: E731
        readers = Ahead(path_for(tmp_path, "one"), make, count=2, aside=helper)
        made.extend((helper, readers))
        return readers, helper

    yield begin
    for one in made:
        one.close()


@pytest.fixture
def helped(reading):
    """`helped`: who is asked besides ourselves, and has nothing to read any more."""
    readers, helper = reading()
    assert list(readers) == []
    wait_for(lambda: helper.has_time, "its time")
    return helper


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


@pytest.mark.parametrize("end", ["before", "meanwhile", "never"])
def test_nothing_is_lost_when_it_does_not_answer(known, room, reading, monkeypatch, end):
    """It is gone before it is asked or while it is; or it is stopped."""
    readers, helper = reading()
    assert list(readers) == []
    wait_for(lambda: helper.has_time, "its time")
    if end != "before":
        monkeypatch.setattr(aside, "PATIENCE", 10)
        os.kill(readers._pids[0], signal.SIGSTOP)
    glances = Glances(known[0], room, helper)
    if end == "before":
        os.kill(readers._pids[0], signal.SIGKILL)
    for question in known[1]:
        glances.ask(question)
    assert helper.is_busy or end == "before"
    if end == "meanwhile":
        os.kill(readers._pids[0], signal.SIGKILL)

    assert dict(glances.answers()) == by_ourselves(known, room)
    assert not helper.is_busy
    assert not helper.has_time


def test_whoever_still_reads_is_not_asked(known, room, reading):
    gate, opened = os.pipe()

    def blocks():
        os.read(gate, 1)
        yield block(2)

    readers, helper = reading(blocks())
    glances = Glances(known[0], room, helper)
    for question in known[1]:
        glances.ask(question)

    assert dict(glances.answers()) == by_ourselves(known, room)
    assert not helper.has_time
    os.write(opened, b"!")
    assert [block.numbers for block in readers] == [block(2).numbers]
    wait_for(lambda: helper.has_time, "its time")


def test_nobody_helps_who_has_failed(known, room, reading):
    def blocks():
        raise OSError
        yield

    readers, helper = reading(blocks())
    with pytest.raises(ReaderDied):
        list(readers)
    glances = Glances(known[0], room, helper)
    for question in known[1]:
        glances.ask(question)

    assert dict(glances.answers()) == by_ourselves(known, room)


def test_it_is_only_asked_about_the_rules_that_it_knows(known, room, helped, monkeypatch):
    monkeypatch.setattr(Aside, "ask", forbidden)
    others = Room(CONTACT, tuple(judge.rule for judge in room.judges["contact"]), {})
    glances = Glances(known[0], others, helped)
    for question in known[1]:
        glances.ask(question)

    assert dict(glances.answers()) == by_ourselves(known, room)


def test_answers_always_fit_into_the_smallest_pipe():
    assert aside.WAITING * (4 + 4 * (2 * aside.ROWS + aside.PAIRS)) <= PAGE


def test_it_ends_when_nobody_asks_any_more(reading):
    readers, helper = reading()
    assert list(readers) == []
    wait_for(lambda: helper.has_time, "its time")

    helper.close()

    assert os.waitpid(readers._pids[0], 0)[1] == 0


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
    monkeypatch.setattr(ahead, "LARGE", 0)
    monkeypatch.setattr(ahead, "is_worth_it", lambda size: True)
    monkeypatch.setattr(aside, "ROWS", 2)
    monkeypatch.setattr(Aside, "has_time", property(patient(Aside.has_time.fget)))

    assert planned() == alone
    assert sum(asked) >= aside.WAITING * aside.ROWS


def patient(has_time):
    """Waits until the other process has nothing to read any more."""

    def waiting(self):
        if not self._ready and not self._closed:
            wait_for(lambda: has_time(self) or self._closed, "its time")
        return has_time(self)

    return waiting
