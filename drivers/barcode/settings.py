"""How text scanners are configured, on serial ports and TCP."""

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Discriminator, Field, Tag, field_validator

from drivers.contract import Strict
from drivers.links import SerialLink, TcpLink, host_port
from protocols.scanners import NO_READ, Suffix
from protocols.scanners.aim import is_aim
from protocols.scanners.heads import TriggerKind

NO_READS_MAX = 16
"""How many no-read texts one scanner may have."""
IDLE_MS = {"serial": 200, "tcp": 1000}
"""Silence after which a code without its suffix is given up. Bytes of a serial line are 15 ms
apart at most; a lost TCP segment comes again within a second."""
IDLE_ENDS_MS = {"serial": 50, "tcp": 200}
"""Silence that ends a code when the scanner sends no suffix."""
IDLE_PACKET_MS = {"serial": 50, "tcp": 300}
"""Silence inside a packet of a Zebra head after which the rest will not come."""

AimUse: TypeAlias = Literal["auto", "strip", "none"]
Scan: TypeAlias = Literal["always", "on_trigger"]


class ListenLink(Strict):
    """A scanner that connects to us: `{listen: "host:port"}`."""

    listen: str = Field(max_length=300, examples=["0.0.0.0:9000"])

    @field_validator("listen")
    @classmethod
    def _host_port(cls, value: str) -> str:
        host_port(value)
        return value.lower()

    def wire(self) -> str:
        """Our end of the wire: `listen:host:port`."""
        return f"listen:{self.listen}"


def _kind(value: Any) -> str:
    listen = "listen" in value if isinstance(value, dict) else isinstance(value, ListenLink)
    return "ListenLink" if listen else "TcpLink"


ScannerLink: TypeAlias = Annotated[
    Annotated[TcpLink, Tag("TcpLink")] | Annotated[ListenLink, Tag("ListenLink")],
    Discriminator(_kind),
]


class ScannerSettings(Strict):
    """What scanners on any wire have."""

    suffix: Suffix = Field(
        default="auto",
        description="what ends a code: auto (CR, LF or CRLF), cr, lf, crlf, etx, none (silence)",
    )
    idle_ms: int | None = Field(
        default=None, ge=10, le=10_000, description="silence that ends or drops a code"
    )
    no_read: tuple[str, ...] = Field(
        default=NO_READ, max_length=NO_READS_MAX, description="texts that mean: saw no code"
    )
    aim: AimUse = Field(
        default="auto",
        description="an AIM identifier (]C1) before a code: auto tells what the code is, "
        "strip forgets it, none leaves it in the text",
    )
    symbology: str = Field(
        default="",
        description="AIM identifier of every code that comes without one; ]C1 for a head that "
        "reads only GS1-128 and sends none",
    )
    trigger: TriggerKind = Field(
        default="none",
        description="how the head is told to look: honeywell (SYN T CR), ssi (Zebra packets), "
        "gm65 (GM65, GM861, Waveshare modules); none: it looks by itself",
    )
    scan: Scan = Field(
        default="always",
        description="with a trigger: always keeps the head looking, on_trigger waits to be told",
    )

    @field_validator("symbology")
    @classmethod
    def _known(cls, value: str) -> str:
        if value and not is_aim(value):
            raise ValueError("expected an AIM identifier of three characters, e.g. ]C1 or ]d2")
        return value


class SerialSettings(ScannerSettings):
    """Settings of `barcode.serial`."""

    link: SerialLink


class TcpSettings(ScannerSettings):
    """Settings of `barcode.tcp`."""

    link: ScannerLink
