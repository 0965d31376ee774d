"""The one thread of a PC/SC reader: it waits for cards and hands what it sees over to the loop."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from drivers.contract import Direction, DriverError
from drivers.liveness import Worker
from drivers.rfid import pcsc_api
from drivers.rfid.contents import AGAIN_S, TRY_AGAIN_S
from drivers.rfid.pcsc_api import Api, CardGoneError
from drivers.troubles import call_hangs
from protocols.framing import FrameError
from protocols.readers import pcsc

WAIT_MS_MAX = 500
"""One wait for a card; a stop that was not noticed is noticed after it."""
PLUGGED_WITHIN_MS = 3_000
"""How long a reader that is not plugged in is waited for before the device counts as lost."""
_ACR122 = "ACR122"


@dataclass(frozen=True, slots=True)
class Told:
    """Who on the loop hears what the thread sees; each is called by the loop, never by the thread."""

    up: Callable[[str], None]
    card: Callable[[bytes, bytes, bytes | str | None, int], None]
    """UID as the reader tells it, the ATR, what the card holds: bytes, or why not; None = not read
    this time; and when it was asked: `monotonic_ns`."""
    monotonic_ns: Callable[[], int]
    noise: Callable[[str, bytes], None]
    frame: Callable[[Direction, bytes], None]


class Watch:
    """Waits for cards on one reader. `start` once, `stop` once; `ended` holds why it ended.

    `read` gets the memory of the connected card with this ATR; None where nobody asks for it.
    """

    def __init__(
        self,
        load: Callable[[], Api],
        wanted: str,
        *,
        repeat_ms: int,
        told: Told,
        read: Callable[["Card", bytes], bytes] | None = None,
    ) -> None:
        self._read = read
        self._due_s: dict[bytes, float] = {}
        self._load = load
        self._wanted = wanted
        self._repeat_ms = repeat_ms
        self._told = told
        self._loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[Exception] = self._loop.create_future()
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._cancel: Callable[[], None] | None = None
        self.quiet = False
        hangs = call_hangs("pcscd", "pcscd", "gatewayd")
        self._worker = Worker(f"PC/SC {wanted}".rstrip(), hangs, self._run)

    def start(self) -> None:
        """Begin to watch; raises DriverError while too many threads before this one hang."""
        self._worker.begin()

    def look(self) -> None:
        """Once in TURN_S; raises DriverError when pcscd or the reader does not come back."""
        if not self.ended.done():
            self._worker.look()

    async def stop(self, within_s: float) -> None:
        """Wake the thread and wait until it is gone, at most so long; safe to repeat."""
        self._stopping.set()
        # A hung pcscd may not even take the cancel, so nobody on the loop waits for it.
        threading.Thread(target=self._wake, daemon=True).start()
        await asyncio.wait({self.ended}, timeout=within_s)

    def _wake(self) -> None:
        with self._lock:
            if self._cancel is not None:
                self._cancel()

    def _run(self) -> None:
        why: Exception = DriverError("PC/SC: stopped")
        try:
            self._watch(self._load())
        except Exception as exc:  # noqa: BLE001 - nothing is swallowed: the loop raises it again
            why = exc
        self._hand(self._end, why)

    def _end(self, why: Exception) -> None:
        if not self.ended.done():
            self.ended.set_result(why)

    def _hand(self, hear: Callable[..., None], *what: Any) -> None:
        """Have the loop call `hear`; nobody is left to hear when the loop is closed."""
        try:
            self._loop.call_soon_threadsafe(hear, *what)
        except RuntimeError:
            self._stopping.set()

    def _watch(self, api: Api) -> None:
        context = api.establish()
        try:
            with self._lock:
                self._cancel = lambda: api.cancel(context)
            self._serve(api, context, self._find(api, context))
        finally:
            with self._lock:
                self._cancel = None
            api.release(context)

    def _find(self, api: Api, context: Any) -> str:
        """The full name of the wanted reader; waits a moment for one to be plugged in."""
        for attempt in range(2):
            names = api.readers(context)
            matching = [name for name in names if self._wanted.casefold() in name.casefold()]
            if len(matching) == 1:
                return matching[0]
            if len(matching) > 1:
                raise DriverError(
                    f"PC/SC: several readers match {self._wanted!r}: {', '.join(matching)}; "
                    "set reader to more of one name"
                )
            if not attempt and not self._stopping.is_set():
                api.change(context, pcsc_api.PNP, len(names) << 16, PLUGGED_WITHIN_MS)
        there = ", ".join(names) or "none"
        raise DriverError(f"PC/SC: no reader {self._wanted!r} is plugged in; there are: {there}")

    def _serve(self, api: Api, context: Any, name: str) -> None:
        """Tell every card as long as it lies there, until the reader is gone or we are stopped."""
        known, changes, present = pcsc_api.UNAWARE, -1, False
        dumb = told_up = False
        while not self._stopping.is_set():
            self._worker.turned()
            if present:  # Connecting changes the state too, so the pace is ours while a card lies.
                self._stopping.wait(self._repeat_ms / 1000)
            state = api.change(context, name, known, 0 if present else WAIT_MS_MAX)
            if state is not None:
                if state.flags & (pcsc_api.UNKNOWN | pcsc_api.UNAVAILABLE):
                    raise DriverError(f"PC/SC: {name}: reader unplugged")
                known = state.changes << 16 | state.flags & ~pcsc_api.CHANGED
                present = state.is_present
                dumb = dumb and state.changes == changes
                changes = state.changes
                if not told_up:
                    told_up = True
                    self._hand(self._told.up, name)
            if not present:
                self._due_s.clear()  # Another card, or the same one another time: read anew.
            if present and not dumb and not self._stopping.is_set():
                dumb = self._tell(api, context, name)

    def _tell(self, api: Api, context: Any, name: str) -> bool:
        """Ask the card who it is, anew each time: another may lie there. True when it has no UID."""
        asked_ns = self._told.monotonic_ns()  # A call may hang while the card is changed.
        try:
            card = Card(api, context, name, self._frame)
        except CardGoneError:
            return False
        try:
            if self.quiet and _ACR122 in name:
                card.ask(pcsc.NO_BEEP)
            atr, answer = card.atr(), card.ask(pcsc.GET_UID)
            held = self._held(card, answer.data, atr) if answer.ok and answer.data else None
        except CardGoneError:
            return False
        except FrameError as exc:
            self._hand(self._told.noise, str(exc), b"")
            return False
        finally:
            card.close()
        if answer.ok and answer.data:
            self._hand(self._told.card, answer.data, atr, held, asked_ns)
            return False
        self._hand(self._told.noise, f"card tells no UID: {pcsc.status_text(answer.sw)}", atr)
        return True

    def _held(self, card: "Card", uid: bytes, atr: bytes) -> bytes | str | None:
        """What the card holds, or why it cannot be read; None while it need not be read.

        It is the card that has just told its UID: both come over one connection to it.
        """
        now_s = self._loop.time()
        if self._read is None or now_s < self._due_s.get(uid, now_s):
            return None
        try:
            data = self._read(card, atr)
        except CardGoneError:
            raise
        except (DriverError, FrameError) as exc:
            self._due_s[uid] = now_s + TRY_AGAIN_S
            return str(exc)
        self._due_s[uid] = now_s + AGAIN_S
        return data

    def _frame(self, direction: Direction, raw: bytes) -> None:
        self._worker.turned()
        self._hand(self._told.frame, direction, raw)


class Card:
    """One connected card."""

    def __init__(
        self, api: Api, context: Any, name: str, frame: Callable[[Direction, bytes], None]
    ) -> None:
        self._api = api
        self._frame = frame
        self._card, self._protocol = api.connect(context, name)

    def atr(self) -> bytes:
        """What the card says it is; raises CardGoneError or DriverError."""
        return self._api.atr(self._card)

    def ask(self, apdu: bytes) -> pcsc.Answer:
        """The answer to one APDU; raises CardGoneError, DriverError or FrameError."""
        self._frame("host>device", apdu)
        raw = self._api.transmit(self._card, self._protocol, apdu)
        self._frame("device>host", raw)
        return pcsc.decode_answer(raw)

    def close(self) -> None:
        """Let go of the card."""
        self._api.disconnect(self._card)
