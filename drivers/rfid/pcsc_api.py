"""PC/SC through pyscard, fenced: every call blocks, every failure is a DriverError in plain words.

pyscard is optional (`pip install "gatewayd[pcsc]"`) and loaded when a device of it is first run.
"""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from drivers.contract import DriverError, Trouble

OK = 0x0000_0000
CANCELLED = 0x8010_0002
TIMED_OUT = 0x8010_000A
NO_READERS = 0x8010_002E
_NO_SERVICE = frozenset({0x8010_001D, 0x8010_001E, 0x8010_0013})
"""pcscd does not run, was stopped, or died while we waited."""
_GONE = frozenset({0x8010_0009, 0x8010_0017})
CARD_GONE = frozenset(
    {0x8010_000C, 0x8010_000F, 0x8010_0016} | {0x8010_0066, 0x8010_0067, 0x8010_0068, 0x8010_0069}
)
"""No card, or one that stopped answering, was reset or taken away: the next look tells."""

UNAWARE, CHANGED, UNKNOWN, UNAVAILABLE = 0x0, 0x2, 0x4, 0x8
PRESENT, MUTE = 0x20, 0x200
PNP = "\\\\?PnP?\\Notification"
"""Waiting for this reader ends when any reader is plugged in or out."""
_SCOPE_SYSTEM = 2
_SHARED = 2
_T0_OR_T1 = 3
_LEAVE_CARD = 0
_FLAGS = 0xFFFF
_UNSIGNED = 0xFFFF_FFFF

INSTALL = 'pip install "gatewayd[pcsc]" (it needs swig, libpcsclite-dev and a C compiler)'
START = "apt-get install pcscd, then systemctl enable --now pcscd.socket"


class CardGoneError(DriverError):
    """The card left or stopped answering; the reader is well."""


@dataclass(frozen=True, slots=True)
class State:
    """What one reader says: its flags, and how often cards came and went."""

    flags: int
    changes: int

    @property
    def is_present(self) -> bool:
        """Whether a card lies there that answered the reader."""
        return bool(self.flags & PRESENT) and not self.flags & MUTE


class Api:
    """The calls that the driver needs; `load` it, then use it from one thread."""

    def __init__(self, scard: Any) -> None:
        self._scard = scard

    def establish(self) -> Any:
        """A context of our own; raises DriverError when pcscd does not run."""
        result, context = self._scard.SCardEstablishContext(_SCOPE_SYSTEM)
        self._expect(result, "open")
        return context

    def release(self, context: Any) -> None:
        """Give the context back; a daemon that is gone has nothing to give it back to."""
        self._scard.SCardReleaseContext(context)

    def cancel(self, context: Any) -> None:
        """Wake the thread that waits in `change`; the only call allowed from another thread."""
        self._scard.SCardCancel(context)

    def readers(self, context: Any) -> tuple[str, ...]:
        """The names of all readers that are plugged in."""
        result, names = self._scard.SCardListReaders(context, [])
        if result & _UNSIGNED == NO_READERS:
            return ()
        self._expect(result, "list readers")
        return tuple(names)

    def change(self, context: Any, name: str, known: int, within_ms: int) -> State | None:
        """What is new at a reader, None when nothing is within the time or it was cancelled."""
        result, states = self._scard.SCardGetStatusChange(context, within_ms, [(name, known)])
        if result & _UNSIGNED in {TIMED_OUT, CANCELLED}:
            return None
        self._expect(result, f"watch {name}")
        _, flags, _ = states[0]
        return State(flags & _FLAGS, flags >> 16 & _FLAGS)

    def connect(self, context: Any, name: str) -> tuple[Any, int]:
        """The card on a reader and its protocol; raises CardGoneError or DriverError."""
        result, card, protocol = self._scard.SCardConnect(context, name, _SHARED, _T0_OR_T1)
        self._expect(result, f"connect to the card on {name}")
        return card, protocol

    def atr(self, card: Any) -> bytes:
        """The ATR of a connected card; what `change` tells of one just laid down may be padded."""
        result, _, _, _, atr = self._scard.SCardStatus(card)
        self._expect(result, "ask for the ATR")
        return bytes(atr)

    def transmit(self, card: Any, protocol: int, apdu: bytes) -> bytes:
        """The card's or reader's answer to an APDU; raises CardGoneError or DriverError."""
        result, answer = self._scard.SCardTransmit(card, protocol, list(apdu))
        self._expect(result, "speak with the card")
        return bytes(answer)

    def disconnect(self, card: Any) -> None:
        """Let go of the card and leave it as it is."""
        self._scard.SCardDisconnect(card, _LEAVE_CARD)

    def _expect(self, result: int, what: str) -> None:
        code = result & _UNSIGNED
        if code == OK:
            return
        if code in _NO_SERVICE:
            raise unavailable("pcscd does not run", "pcscd 未运行", START)
        if code in CARD_GONE:
            raise CardGoneError(f"PC/SC: {what}: {self._text(result)}")
        if code in _GONE:
            raise DriverError(f"PC/SC: {what}: reader unplugged")
        raise DriverError(f"PC/SC: {what}: {self._text(result)}")

    def _text(self, result: int) -> str:
        return str(self._scard.SCardGetErrorMessage(result)).strip().rstrip(".")


def load(module: str = "smartcard.scard") -> Api:
    """Load pyscard; raises DriverError that says what to install."""
    try:
        return Api(import_module(module))
    except ImportError as exc:
        raise unavailable("pyscard is not installed", "未安装 pyscard", INSTALL) from exc


def unavailable(why: str, why_zh: str, put_right: str) -> DriverError:
    """PC/SC cannot be used on this machine as it is."""
    trouble = Trouble(
        "unavailable",
        zh=f"PC/SC 不可用：{why_zh}；请执行：{put_right}",
        en=f"PC/SC is unavailable: {why}; to put it right: {put_right}",
    )
    return DriverError(trouble.en, trouble)
