"""What a device says is never taken for younger than it is, whatever the line does to it.

The model is a line that keeps the order of bytes, loses questions and answers and holds everything
back for as long as it likes, and a device that answers one question after the other.
"""

from collections import deque
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.owed import ANY, OWED_MAX, Owed, OwedError

KINDS = ("round", "info", "mode")


@dataclass
class Line:
    """The device, the line, and what the host believes; every step takes 1 ns."""

    owed: Owed = field(default_factory=Owed)
    now_ns: int = 0
    to_device: deque[str] = field(default_factory=deque)
    to_host: deque[tuple[str, str, int]] = field(default_factory=deque)

    def ask(self, kind: str, *, lost: bool) -> None:
        self.now_ns += 1
        self.owed.asked(kind, self.now_ns)
        if not lost:
            self.to_device.append(kind)

    def answer(self, *, lost: bool) -> None:
        """The device says a part of its answer, then the last word of it; one of them may be lost."""
        self.now_ns += 1
        if self.to_device:
            kind = self.to_device.popleft()
            self.to_host.append(("part", kind, self.now_ns))
            if not lost:
                self.to_host.append(("end", kind, self.now_ns))

    def push(self) -> None:
        """The device says something unasked."""
        self.now_ns += 1
        self.to_host.append(("push", "", self.now_ns))

    def deliver(self) -> tuple[int, int] | None:
        """The next word arrives: when it was said, and what the host takes that for."""
        self.now_ns += 1
        if not self.to_host:
            return None
        what, kind, said_ns = self.to_host.popleft()
        believed_ns = self.owed.said_ns(kind) if what == "part" else self.owed.since_ns
        if what == "end":
            self.owed.answered(kind)
            believed_ns = self.owed.since_ns
        return said_ns, believed_ns


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.sampled_from(KINDS), st.booleans()),
        st.tuples(st.just("answer"), st.just(""), st.booleans()),
        st.tuples(st.sampled_from(["push", "deliver"]), st.just(""), st.booleans()),
    ),
    max_size=60,
)


def play(steps: list[tuple[str, str, bool]]) -> Line:
    line = Line()
    for what, kind, lost in steps:
        if what == "ask":
            line.ask(kind, lost=lost)
        elif what == "answer":
            line.answer(lost=lost)
        elif what == "push":
            line.push()
        else:
            heard = line.deliver()
            assert heard is None or heard[1] <= heard[0], "older than it is taken for"
    return line


@given(STEPS)
def test_nothing_is_taken_for_younger_than_it_is(steps: list[tuple[str, str, bool]]) -> None:
    line = play(steps)
    while line.to_host:
        heard = line.deliver()
        assert heard is not None
        assert heard[1] <= heard[0]


@given(STEPS)
def test_two_questions_of_other_kinds_that_are_answered_settle_everything(
    steps: list[tuple[str, str, bool]],
) -> None:
    line = play(steps)
    for kind in KINDS[:2]:
        line.ask(kind, lost=False)
        began_ns = line.now_ns
        while line.to_device:
            line.answer(lost=False)
        while line.to_host:
            line.deliver()
    assert line.owed.since_ns <= began_ns
    for kind in KINDS[1:]:  # One lost answer of each kind may still stand before the newest of it.
        line.ask(kind, lost=False)
        line.answer(lost=False)
        while line.to_host:
            line.deliver()
    assert not line.owed.owes("round")


def test_an_answer_that_nobody_waits_for_proves_nothing() -> None:
    owed = Owed()
    owed.asked("round", 5)
    owed.answered("info")
    assert (owed.since_ns, owed.said_ns("info"), owed.said_ns("round")) == (0, 0, 5)
    assert owed.owes("round")
    assert not owed.owes("info")
    assert owed.oldest_ns() == 5


def test_a_device_that_owes_too_much_has_lost_count() -> None:
    owed = Owed()
    for number in range(OWED_MAX):
        owed.asked("round", number)
    with pytest.raises(OwedError, match=str(OWED_MAX)):
        owed.asked("info", OWED_MAX)
    assert owed.oldest_ns() == 0


def test_an_answer_that_does_not_say_to_what_answers_the_oldest_question() -> None:
    owed = Owed()
    for at_ns, kind in enumerate(("round", "info", "mode"), 1):
        owed.asked(kind, at_ns)
    owed.answered(ANY)
    assert (owed.since_ns, owed.count) == (1, 2)
    owed.answered("mode")
    assert (owed.since_ns, owed.count) == (3, 0)


def test_what_is_forgotten_proves_nothing() -> None:
    owed = Owed()
    owed.asked("round", 5)
    owed.forget()
    assert (owed.since_ns, owed.count, owed.owes()) == (0, 0, False)
