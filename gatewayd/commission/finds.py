"""What `gatewayd detect` found, as values: serial ports, USB devices, ports of named hosts."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from gatewayd.commission.listen import Guess
from gatewayd.commission.ports import Port
from gatewayd.commission.usb import Usb

RAW_SHOWN_BYTES = 64


@dataclass(frozen=True, slots=True)
class Note:
    """Why nothing is proposed for a find, in plain words; `kind` is a stable word."""

    kind: Literal["configured", "used", "not_opened", "keyboard"]
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class SerialFind:
    """A serial port with what speaks there.

    `heard` are the first bytes heard, at `baud`, whoever said them; `note` says why it was left
    alone; `line` is ready for devices/*.yaml where the driver is known.
    """

    port: Port
    configured_as: tuple[str, ...]
    guess: Guess | None
    heard: bytes
    baud: int | None
    note: Note | None
    line: str

    def as_json(self) -> dict[str, Any]:
        """The object of `detect --json`."""
        port = self.port
        return {
            "path": port.path,
            "by_id": port.by_id or None,
            "by_path": port.by_path or None,
            "tty": port.tty,
            "usb": usb_json(port.usb),
            "used_by": [asdict(user) for user in port.used_by],
            "configured_as": list(self.configured_as),
            "guess": guess_json(self.guess),
            "heard": self.heard[:RAW_SHOWN_BYTES].hex() or None,
            "note": asdict(self.note) if self.note else None,
            "line": self.line or None,
        }


@dataclass(frozen=True, slots=True)
class UsbFind:
    """A USB device that identifies something by itself: scanner, keyboard, card reader."""

    usb: Usb
    guess: Guess | None
    line: str
    note: Note | None = None

    def as_json(self) -> dict[str, Any]:
        """The object of `detect --json`."""
        found = usb_json(self.usb)
        assert found is not None
        return {
            **found,
            "guess": guess_json(self.guess),
            "note": asdict(self.note) if self.note else None,
            "line": self.line or None,
        }


@dataclass(frozen=True, slots=True)
class HostFind:
    """One TCP port of a named host; `error` says why it is not open, empty when it is."""

    host: str
    port: int
    configured_as: tuple[str, ...]
    guess: Guess | None
    heard: bytes
    error: str
    line: str

    @property
    def address(self) -> str:
        """`host:port`, as a link takes it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def as_json(self) -> dict[str, Any]:
        """The object of `detect --json`."""
        return {
            "host": self.host,
            "port": self.port,
            "open": not self.error,
            "error": self.error or None,
            "configured_as": list(self.configured_as),
            "guess": guess_json(self.guess),
            "heard": self.heard[:RAW_SHOWN_BYTES].hex() or None,
            "line": self.line or None,
        }


def guess_json(guess: Guess | None) -> dict[str, Any] | None:
    """Who it probably is, and how that is known."""
    if guess is None:
        return None
    return {
        "drivers": list(guess.drivers),
        "format": guess.format or None,
        "how": guess.how,
        "baud": guess.baud,
    }


def usb_json(usb: Usb | None) -> dict[str, Any] | None:
    """What a USB device says of itself."""
    if usb is None:
        return None
    return {
        "id": usb.id,
        "kind": usb.kind,
        "product": usb.product or None,
        "manufacturer": usb.manufacturer or None,
        "serial": usb.serial or None,
        "bridge": usb.bridge or None,
        "path": usb.path,
    }
