"""One connection to an LLRP reader: greeting, requests and answers, keepalives, farewell.

Built on our own stream and dialog, not on the client of llrpkit (see `protocols.readers.llrp.wire`).
Everything that arrives while an answer is awaited is kept and taken in order afterwards.
"""

import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from drivers import troubles
from drivers.contract import Context, DriverError
from drivers.dialog import Dialog, now
from drivers.links import Stream, TcpLink
from drivers.owed import Owed
from drivers.rfid import llrp_troubles
from drivers.rfid.llrp_link import open_link
from protocols.readers import llrp
from protocols.readers.llrp import Message, Param, Status, commands, reports

GREETED_WITHIN_S = 4.0
"""A reader greets whoever connects; the standard names no time."""
ANSWER_WITHIN_S = 3.0
"""Adding a ROSpec takes some readers a second."""
MESSAGE_GAP_S = 2.0
"""On a network a pause inside a message means little; only a lying length waits so long."""
FAREWELL_WITHIN_S = 0.8
"""How long a reader that is let go is drained of its queued reports and may say goodbye."""
MISSED_KEEPALIVES_MAX = 3
KEPT_MAX = 5_000
"""Messages kept while an answer is awaited: ANSWER_WITHIN_S at more than any radio reads. Above it
the oldest go, and a person is told."""

PROOF = "GET_ROSPECS"
"""What is asked only to hear an answer: every reader knows it, and it changes nothing."""
_TAKEN = frozenset({reports.ATTEMPT_TAKEN_BY_READER, reports.ATTEMPT_TAKEN_BY_CLIENT})


class Session:
    """One open connection that the reader has accepted."""

    def __init__(self, stream: Stream, context: Context, *, keepalive_ms: int) -> None:
        self.wire = stream.wire
        self.context = context
        self._dialog = Dialog[Message](
            stream,
            context,
            framer=llrp.new_framer(),
            decode=llrp.decode,
            format="llrp",
            gap_s=MESSAGE_GAP_S,
        )
        self._silent_s = (MISSED_KEEPALIVES_MAX + 0.5) * keepalive_ms / 1000
        self._heard_s = now()
        self._kept: list[Message] = []
        self._message_id = 0

    async def greet(self) -> None:
        """Wait until the reader says that we are its client; raises DriverError, e.g. when taken."""
        until = now() + GREETED_WITHIN_S
        while now() < until:
            for message in await self._receive(until):
                attempt = _attempt(message)
                if attempt is None:
                    self._keep([message])
                elif attempt in _TAKEN:
                    raise self._dialog.lost(
                        "the reader refuses us", troubles.other_client(self.wire)
                    )
                elif attempt != reports.ATTEMPT_OK:
                    raise self._dialog.lost(f"the reader refuses connections (status {attempt})")
                else:
                    return
        raise self._dialog.lost(f"no LLRP reader greets within {GREETED_WITHIN_S:g} s")

    async def ask(self, name: str, build: Callable[[int], bytes]) -> Message | None:
        """The answer to a request, be it a refusal; None when none came in time."""
        self._message_id += 1
        wanted_id, wanted = self._message_id, {f"{name}_RESPONSE", "ERROR_MESSAGE"}
        answer = await self._dialog.ask(
            build(wanted_id),
            lambda message: message.message_id == wanted_id and message.name in wanted,
            kind=wanted_id,
            times=1,  # The message id tells answers apart, and a request twice would act twice.
            within_s=ANSWER_WITHIN_S,
            aside=self._keep,
        )
        await self._acknowledge()
        self._heard_s = now() if answer is not None else self._heard_s
        return answer

    async def order(self, name: str, build: Callable[[int], bytes]) -> Message:
        """The answer to a request that must be obeyed; raises DriverError with the reader's words."""
        answer = await self.ask(name, build)
        if answer is None:
            raise self._dialog.lost(f"no answer to {name}")
        if refusal := refused(answer):
            text = refusal.text or "no reason given"
            raise DriverError(f"{self.wire}: reader refuses {name}: {text} (status {refusal.code})")
        return answer

    async def tell(self, name: str) -> None:
        """Send a message without content whose answer, if any, is taken like everything else."""
        self._message_id += 1
        await self._dialog.tell(commands.plain(name, self._message_id))

    async def prove(self) -> int:
        """Ask something of no effect; the number of the message."""
        self._message_id += 1
        command = commands.plain(PROOF, self._message_id)
        await self._dialog.tell(command, kind=self._message_id)
        return self._message_id

    @property
    def owed(self) -> Owed:
        """How old what is taken can be."""
        return self._dialog.owed

    async def take(self, until: float) -> list[Message]:
        """What the reader said before `until`, oldest first; keepalives are answered, not returned.

        Raises DriverError when the reader closes, or is silent for MISSED_KEEPALIVES_MAX periods.
        """
        if not self._kept:
            self._keep(await self._receive(min(until, self._heard_s + self._silent_s)))
        await self._acknowledge()
        taken, self._kept = self._kept, []
        if not taken and now() >= self._heard_s + self._silent_s:
            raise self._dialog.lost(f"silent for {MISSED_KEEPALIVES_MAX} keepalives")
        for message in taken:
            if any(event.name == "ConnectionCloseEvent" for event in events(message)):
                raise self._dialog.lost("the reader closes the connection; is it restarting?")
        return taken

    def forget_reports(self) -> None:
        """Drop tags reported so far: seen for somebody else's ROSpec, and too old to be a read."""
        self._kept = [message for message in self._kept if message.name != "RO_ACCESS_REPORT"]

    async def farewell(self) -> None:
        """Stop our ROSpec and free the reader for the next client; never raises DriverError.

        Thousands of reports may be queued before the answer: they are read and dropped.
        """
        with contextlib.suppress(DriverError):
            for name in ("DISABLE_ROSPEC", "DELETE_ROSPEC"):
                self._message_id += 1
                await self._dialog.tell(commands.of_rospec(name, self._message_id))
            await self.tell("CLOSE_CONNECTION")
            until = now() + FAREWELL_WITHIN_S
            while now() < until:
                _, messages = await self._dialog.receive(until)
                if any(message.name == "CLOSE_CONNECTION_RESPONSE" for message in messages):
                    return

    async def _receive(self, until: float) -> list[Message]:
        _, messages = await self._dialog.receive(until)
        if messages:
            self._heard_s = now()
        return messages

    def _keep(self, messages: list[Message]) -> None:
        self._kept += messages
        if len(self._kept) > KEPT_MAX:
            del self._kept[:-KEPT_MAX]
            self.context.trouble(llrp_troubles.reads_lost("the gateway", "网关"))

    async def _acknowledge(self) -> None:
        """Answer every keepalive; the reader closes on a client that does not."""
        alive = [message for message in self._kept if message.name == "KEEPALIVE"]
        self._kept = [message for message in self._kept if message.name != "KEEPALIVE"]
        for message in alive:
            await self._dialog.tell(commands.plain("KEEPALIVE_ACK", message.message_id))


@asynccontextmanager
async def connected(
    link: TcpLink, tls_ca_file: str, context: Context, *, keepalive_ms: int
) -> AsyncIterator[Session]:
    """A session with the reader, let go properly however the block ends; raises DriverError."""
    stream = await open_link(link, tls_ca_file)
    try:
        session = Session(stream, context, keepalive_ms=keepalive_ms)
        await session.greet()
        try:
            yield session
        finally:
            await session.farewell()
    finally:
        await stream.close()


def refused(answer: Message) -> Status | None:
    """Why a request was refused; None when it was not."""
    found = llrp.status(answer)
    return found if found is not None and found.code else None


def events(message: Message) -> tuple[Param, ...]:
    """The events in a message; none when it is something else."""
    if message.name != "READER_EVENT_NOTIFICATION":
        return ()
    return llrp.event(message).params


def _attempt(message: Message) -> int | None:
    """The status of a ConnectionAttemptEvent, if this is one."""
    for event in events(message):
        if event.name == "ConnectionAttemptEvent":
            return event.number("status")
    return None
