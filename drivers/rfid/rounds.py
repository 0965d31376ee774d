"""How a reader is read for hours that is asked again and again."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Generic, NoReturn, TypeVar

from pydantic import Discriminator, Field, Tag

from drivers.contract import DriverError
from drivers.dialog import Dialog, now
from drivers.links import SerialLink, TcpLink
from drivers.rfid.contents import ACCESS_S_MAX, Access
from drivers.rfid.field import Field as TagField
from drivers.rfid.field import Sighting

MISSED_POLLS_MAX = 3
"""Polls in a row without one valid frame after which the reader counts as lost."""
REFUSED_POLLS_MAX = 3
"""Polls in a row refused by the reader after which it counts as wrongly configured."""
HELD_S_MAX = 0.3
"""Tags of a round that goes on are passed on together, but no later than this after they came (and
twice this when the reader falls silent): a read must not outlive the cylinder that it names."""
SETTLES_MAX = 4
"""Questions between two rounds that may be needed to know which answers are still owed."""
BEHIND_MAX = 3
"""Answers owed by a reader that answers: so many got lost, and nothing it can be asked tells which.
A tag would seem older and older; the link is opened anew instead."""
ROUND = "round"
"""The kind of question that asks for tags (`drivers.owed`)."""

M = TypeVar("M")


@dataclass(frozen=True, slots=True)
class Round:
    """One poll: what was seen, whether any valid frame came, and how the reader refused it.

    What was passed on meanwhile is not in `seen`.
    """

    seen: tuple[Sighting, ...]
    heard: bool
    refused: str = ""


def _kind(value: Any) -> str:
    serial = "serial" in value if isinstance(value, dict) else isinstance(value, SerialLink)
    return "serial" if serial else "tcp"


class SerialLink57600(SerialLink):
    """A serial reader: `{serial: path, baud: 57600}`."""

    baud: int = Field(default=57_600, ge=300, le=4_000_000)


class SerialLink115200(SerialLink):
    """A serial reader: `{serial: path, baud: 115200}`."""

    baud: int = Field(default=115_200, ge=300, le=4_000_000)


ReaderLink9600 = Annotated[
    Annotated[TcpLink, Tag("tcp")] | Annotated[SerialLink, Tag("serial")], Discriminator(_kind)
]
ReaderLink57600 = Annotated[
    Annotated[TcpLink, Tag("tcp")] | Annotated[SerialLink57600, Tag("serial")], Discriminator(_kind)
]
ReaderLink115200 = Annotated[
    Annotated[TcpLink, Tag("tcp")] | Annotated[SerialLink115200, Tag("serial")],
    Discriminator(_kind),
]
"""A reader on TCP, or on a serial port at its family's usual baud rate unless told."""


def _no_tags(_messages: object) -> Iterable[Sighting]:
    """What a family says late tells nothing that counts."""
    return ()


@dataclass(frozen=True, slots=True)
class Gathered(Generic[M]):
    """What one question for tags brought: whether anything valid came, and what was not passed on.

    Everything of it was said after `said_ns`, monotonic.
    """

    heard: bool
    left: list[M]
    said_ns: int


async def gather(
    dialog: Dialog[M],
    command: bytes,
    *,
    first_s: float,
    silent_s: float,
    within_s: float,
    ends: Callable[[M], bool],
    goes_on: Callable[[M], bool] = lambda _: True,
    kind_of: Callable[[M], Hashable] = lambda _: ROUND,
    early: Callable[[list[M], int], None] | None = None,
) -> Gathered[M]:
    """Ask for tags, and what came of it until the round was over; raises DriverError.

    The round is over when a message `ends` it, after `first_s` without a message, `silent_s` after
    the last one that `goes_on`, or after `within_s` in all. What waits for HELD_S_MAX goes to
    `early` with the moment after which it was said; without it everything is kept until the end.
    A round that nothing `ends` leaves its answer owed; `kind_of`: what such an end answers.
    """
    await dialog.tell(command, kind=ROUND)
    said_ns = dialog.owed.said_ns(ROUND)
    heard = False
    left: list[M] = []
    until, latest, held_since = now() + first_s, now() + within_s, now()
    while now() < until:
        _, found = await dialog.receive(min(until, now() + HELD_S_MAX))
        if found and not left:
            held_since = now()
        heard = heard or bool(found)
        left += found
        end = next((message for message in found if ends(message)), None)
        if end is not None:
            dialog.owed.answered(kind_of(end))
            break
        if any(goes_on(message) for message in found):
            until = min(now() + silent_s, latest)
        if early is not None and left and now() >= held_since + HELD_S_MAX:
            early(left, said_ns)
            left = []
    return Gathered(heard, left, said_ns)


async def poll(
    dialog: Dialog[M],
    field: TagField,
    *,
    once: Callable[[], Awaitable[Round]],
    settle: Callable[[], Awaitable[bool]] | None,
    poll_ms: int,
    up: Callable[[], None],
    take: Callable[[list[M]], Iterable[Sighting]] = _no_tags,
    access: Access | None = None,
) -> NoReturn:
    """Ask for every tag in the field until the reader is lost; `up` once a poll was answered.

    `poll_ms` runs from start to start of a round. A tag counts from when it was asked for: what
    answers a round was seen after its start, and what comes between two rounds is heard when it
    comes, as of the round before, never taken for the answer to the next one: `take` gives the tags
    in it. An answer that did not come may still come, and would be taken for the next one: before
    that is asked for, `settle` asks something else; True when it was answered. None: nothing else
    can be asked, and a tag counts from the oldest question open. `access` reads what a tag holds: one
    attempt behind a round, where somebody asks for it. Raises DriverError.
    """
    missed = refused = 0
    told_up = False
    before_ns = dialog.owed.since_ns
    while True:
        started = now()
        settled = await _settled(dialog, settle, 0 if access else BEHIND_MAX)
        asked_ns = earliest_ns(dialog)
        heard = await once() if settled else Round((), heard=False)
        missed = 0 if heard.heard else missed + 1
        refused = refused + 1 if heard.refused else 0
        if missed >= MISSED_POLLS_MAX:
            raise dialog.lost(f"no valid answer to {missed} polls")
        if refused >= REFUSED_POLLS_MAX:
            raise dialog.lost(heard.refused)
        if not told_up and not missed and not refused:
            told_up = True
            up()
        field.emit(heard.seen, asked_ns)
        if access is not None and not dialog.owed.owes():
            await _access(dialog, field, access, heard, asked_ns)
        await _rest(dialog, field, take, started + poll_ms / 1000, before_ns)
        before_ns = asked_ns


async def _settled(
    dialog: Dialog[M], settle: Callable[[], Awaitable[bool]] | None, behind_max: int
) -> bool:
    """Whether no answer to a round is owed any more, where anything can be asked about it.

    Each answer to `settle` ends the questions before the oldest of its kind, so that a lost one
    costs one more. Raises DriverError when nothing can be asked and more than `behind_max` are owed:
    none where memory is read, since an answer may then be of any tag.
    """
    if settle is None:
        if dialog.owed.count > behind_max:
            raise dialog.lost(f"{dialog.owed.count} answers got lost")
        return True
    for _ in range(SETTLES_MAX):
        if not dialog.owed.owes(ROUND):
            return True
        if not await settle():
            return False
    return not dialog.owed.owes(ROUND)


def earliest_ns(dialog: Dialog[M]) -> int:
    """What answers a question asked from now on was said after this: monotonic."""
    oldest_ns = dialog.owed.oldest_ns()
    return dialog.context.monotonic_ns() if oldest_ns is None else oldest_ns


async def _access(
    dialog: Dialog[M], field: TagField, access: Access, heard: Round, asked_ns: int
) -> None:
    """Read what one tag holds, if one is due. A lost link is found out by the next round."""
    contents, clock = field.contents, dialog.context.monotonic_ns
    if contents is None:
        return
    if not heard.heard:
        contents.pause(clock())
    tag = contents.due(clock(), asked_ns)
    if tag is None:
        return
    uid, antenna = tag
    try:
        async with asyncio.timeout(ACCESS_S_MAX):
            data = await access(uid, antenna)
    except TimeoutError:
        contents.failed(uid, f"no answer within {ACCESS_S_MAX:g} s", clock(), owed=True)
    except DriverError as exc:
        contents.failed(uid, str(exc), clock())
    else:
        contents.learned(uid, data, clock())


async def _rest(
    dialog: Dialog[M],
    field: TagField,
    take: Callable[[list[M]], Iterable[Sighting]],
    until: float,
    said_ns: int,
) -> None:
    """Let the time pass until the next round; whatever was late is heard now."""
    await asyncio.sleep(0)  # A reader that fills the wire must not starve everybody else.
    while now() < until:
        _, late = await dialog.receive(until)
        field.emit(take(late), said_ns)
