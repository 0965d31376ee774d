"""How a reader is read for hours: asked again and again, or listened to."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any, NoReturn, TypeVar

from pydantic import Discriminator, Field, Tag

from drivers.contract import DriverError
from drivers.dialog import Dialog, now
from drivers.links import SerialLink, TcpLink
from drivers.liveness import TURN_S
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
PUSH_SILENT_S_MAX = 5.0
"""A pushing reader silent for so long is asked whether it lives."""

M = TypeVar("M")


@dataclass(frozen=True, slots=True)
class Round:
    """One poll: what was seen, whether any valid frame came, and how the reader refused it."""

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


async def gather(
    dialog: Dialog[M],
    *,
    first_s: float,
    silent_s: float,
    within_s: float,
    ends: Callable[[M], bool],
    goes_on: Callable[[M], bool] = lambda _: True,
    early: Callable[[list[M]], None] | None = None,
) -> tuple[bool, list[M]]:
    """Whether anything valid came in a round, and what `early` was not given of it.

    The round is over when a message `ends` it, after `first_s` without a message, `silent_s` after
    the last one that `goes_on`, or after `within_s` in all. What waits for HELD_S_MAX goes to
    `early`; without it everything is kept until the end. Raises DriverError.
    """
    heard = False
    left: list[M] = []
    until, latest, held_since = now() + first_s, now() + within_s, now()
    while now() < until:
        _, found = await dialog.receive(min(until, now() + HELD_S_MAX))
        if found and not left:
            held_since = now()
        heard = heard or bool(found)
        left += found
        if any(ends(message) for message in found):
            break
        if any(goes_on(message) for message in found):
            until = min(now() + silent_s, latest)
        if early is not None and left and now() >= held_since + HELD_S_MAX:
            early(left)
            left = []
    return heard, left


async def poll(
    dialog: Dialog[M],
    field: TagField,
    *,
    once: Callable[[], Awaitable[Round]],
    poll_ms: int,
    up: Callable[[], None],
    take: Callable[[list[M]], Iterable[Sighting]] = _no_tags,
    access: Access | None = None,
) -> NoReturn:
    """Ask for every tag in the field until the reader is lost; `up` once a poll was answered.

    `poll_ms` runs from start to start of a round. What comes between two rounds is heard when it
    comes, never taken for the answer to the next one: `take` gives the tags in it. `access` reads
    what a tag holds: one attempt behind a round, where somebody asks for it. Raises DriverError.
    """
    missed = refused = 0
    told_up = False
    while True:
        started, started_ns = now(), dialog.context.monotonic_ns()
        heard = await once()
        missed = 0 if heard.heard else missed + 1
        refused = refused + 1 if heard.refused else 0
        if missed >= MISSED_POLLS_MAX:
            raise dialog.lost(f"no valid answer to {missed} polls")
        if refused >= REFUSED_POLLS_MAX:
            raise dialog.lost(heard.refused)
        if not told_up and not missed and not refused:
            told_up = True
            up()
        field.emit(heard.seen)
        if access is not None:
            await _access(dialog, field, access, heard, started_ns)
        await _rest(dialog, field, take, started + poll_ms / 1000)


async def _access(
    dialog: Dialog[M], field: TagField, access: Access, heard: Round, started_ns: int
) -> None:
    """Read what one tag holds, if one is due. A lost link is found out by the next round."""
    contents, clock = field.contents, dialog.context.monotonic_ns
    if contents is None:
        return
    if not heard.heard:
        contents.pause(clock())
    tag = contents.due(clock(), started_ns)
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
) -> None:
    """Let the time pass until the next round; whatever was late is heard now."""
    await asyncio.sleep(0)  # A reader that fills the wire must not starve everybody else.
    while now() < until:
        _, late = await dialog.receive(until)
        field.emit(take(late))


async def listen(
    dialog: Dialog[M],
    field: TagField,
    *,
    take: Callable[[list[M]], Iterable[Sighting]],
    alive: Callable[[], Awaitable[bool]] | None,
    silent_s: float = PUSH_SILENT_S_MAX,
) -> NoReturn:
    """Take what a pushing reader sends; when it says nothing valid, ask whether it lives.

    `alive` None: a silent one is gone only when its link is, one that sends only noise is lost.
    Raises DriverError.
    """
    valid_at = now()
    noisy = False
    while True:
        dialog.context.alive()
        heard, messages = await dialog.receive(min(valid_at + silent_s, now() + TURN_S))
        field.emit(take(messages))
        noisy = (noisy or heard) and not messages
        if messages:
            valid_at = now()
        elif now() >= valid_at + silent_s:
            if noisy if alive is None else not await alive():
                raise dialog.lost("pushing reader does not answer any more")
            valid_at = now()
