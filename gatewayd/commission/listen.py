"""Find out what speaks at the other end: listen first, then ask harmless questions, one at a time.

A name is given only on proof: frames whose checksum holds, or whole lines of text. Nothing is
written unless `ask` is called, and then only what drivers declare as `hellos`.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from drivers.contract import DriverError, Hello
from drivers.links import LinkSilentError, SerialLink, Stream, TcpLink, open_stream
from protocols.decode import FORMATS
from protocols.diagnose import CERTAIN_BITS, diagnose

LISTEN_S = 0.6
"""How long a wire is listened to at one speed."""
ANSWER_S = 0.5
"""How long a device may take to answer a harmless question."""
QUIET_S = 0.1
"""Silence after which an answer is over; serial servers hold back bytes for less."""
WRITE_WITHIN_S = 1.0
OPEN_WITHIN_S = 2.0
HEARD_BYTES_MAX = 4096
"""At this many bytes enough was heard."""
NOTHING = ""
"""The expected format where nothing in particular is expected."""

How: TypeAlias = Literal["heard", "answered", "greeting", "usb_id", "usb_class", "tcp_port"]
Question: TypeAlias = tuple[Hello, tuple[str, ...]]
"""A harmless question with the drivers that ask it."""
Tell: TypeAlias = Callable[[str], None]
"""Progress: what is being tried now, by drivers and speed."""


@dataclass(frozen=True, slots=True)
class Guess:
    """What is there: the drivers to choose from (the likeliest first), and how that is known."""

    drivers: tuple[str, ...]
    format: str
    how: How
    baud: int | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard of one wire; `formats` are proven, `raw` the first bytes anybody said."""

    formats: tuple[str, ...] = ()
    baud: int | None = None
    raw: bytes = b""


async def listen(
    path: str, bauds: Iterable[int], tell: Tell, *, listen_s: float = LISTEN_S
) -> Heard:
    """Listen to a serial port at each speed until something is proven; raises DriverError."""
    first = Heard()
    for baud in bauds:
        tell(f"{baud}")
        stream = await open_stream(SerialLink(serial=path, baud=baud), within_s=OPEN_WITHIN_S)
        try:
            raw = await hear(stream, listen_s)
        finally:
            await stream.close()
        if formats := proven(raw):
            return Heard(formats, baud, raw)
        if raw and not first.raw:
            first = Heard((), baud, raw)
    return first


async def ask(
    link: SerialLink | TcpLink,
    hellos: Iterable[Question],
    tell: Tell,
    *,
    answer_s: float = ANSWER_S,
) -> Guess | None:
    """Ask each question until one is answered by a proven frame; raises DriverError.

    The wire is opened anew for each protocol, so that half a foreign question stands before none.
    """
    for baud, questions in _grouped(hellos, serial=isinstance(link, SerialLink)):
        chosen = link.model_copy(update={"baud": baud}) if baud else link
        stream = await open_stream(chosen, within_s=OPEN_WITHIN_S)
        try:
            found = await _ask(stream, questions, tell, answer_s)
        finally:
            await stream.close()
        if found is not None:
            return found
    return None


def _grouped(
    hellos: Iterable[Question], *, serial: bool
) -> Iterator[tuple[int, tuple[Question, ...]]]:
    """Questions of one speed and protocol; a network has no speed (0), so each is asked once."""
    found: dict[tuple[int, str], dict[bytes, Question]] = {}
    for hello, names in hellos:
        group = found.setdefault((hello.baud if serial else 0, hello.format), {})
        group.setdefault(hello.question, (hello, names))
    for (baud, _), questions in found.items():
        yield baud, tuple(questions.values())


async def _ask(
    stream: Stream, questions: Iterable[Question], tell: Tell, answer_s: float
) -> Guess | None:
    for hello, names in questions:
        if not hello.question:
            continue
        speed = "" if stream.wire.startswith("tcp:") else f" @ {hello.baud}"
        tell(f"{', '.join(names)}{speed}")
        stream.discard()
        await stream.write(hello.question, WRITE_WITHIN_S)
        if answered(await hear(stream, answer_s, quiet_s=QUIET_S), hello):
            return Guess(names, hello.format, "answered", hello.baud)
    return None


async def hear(stream: Stream, seconds: float, quiet_s: float | None = None) -> bytes:
    """Everything said for so long, until HEARD_BYTES_MAX, or until `quiet_s` of silence after it.

    Raises DriverError when the link is cut and nothing was heard.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    heard = b""
    while (left_s := until - loop.time()) > 0 and len(heard) < HEARD_BYTES_MAX:
        wait_s = min(left_s, quiet_s) if heard and quiet_s is not None else left_s
        try:
            heard += await stream.read(HEARD_BYTES_MAX, wait_s)
        except LinkSilentError:
            break
        except DriverError:
            if not heard:
                raise
            break
    return heard


def proven(raw: bytes) -> tuple[str, ...]:
    """The formats whose frames these bytes surely are."""
    found = diagnose(raw, NOTHING)
    return found.formats if found is not None and found.kind == "other_format" else ()


def answered(raw: bytes, hello: Hello) -> bool:
    """Whether a proven frame of the format came that is not our own question back."""
    raw = raw.replace(hello.question, b"") if hello.question else raw
    row = FORMATS.get(hello.format)
    if row is None or row.framer is None:
        return False
    framer = row.framer()
    pieces = (*framer.feed(raw), *framer.idle())
    frames = [piece for piece in pieces if isinstance(piece, bytes)]
    sure = row.proof_bits >= CERTAIN_BITS or 2 * sum(map(len, frames)) >= len(raw)
    return bool(frames) and sure
