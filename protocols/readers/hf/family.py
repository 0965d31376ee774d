"""What a family of HF readers is: envelopes, commands, how replies are read, and error names.

The driver knows only this; `protocols.readers.hf.FAMILIES` has every row.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from protocols.framing import FrameError, Framer
from protocols.readers.hf.envelope import Envelope, Sealed, new_framer, seal, unseal
from protocols.readers.hf.iso15693 import Air

FamilyName: TypeAlias = Literal["idtronic", "feig", "ti_s6350", "aa_bb", "uhfreader_hf"]
Way: TypeAlias = Literal["host>device", "device>host"]
Fields: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """What a reader answered.

    `code` is the command it answers, None in families that do not repeat it. `error` names why
    there is nothing, empty when it worked; `no_tag` says that the reason is an empty field, which
    is nobody's error; `refused` that the reader will never do it as it was asked. `more` says that
    the round is not over.
    """

    code: int | None
    data: bytes = b""
    error: str = ""
    no_tag: bool = False
    refused: bool = False
    more: bool = False
    address: int = 0


@dataclass(frozen=True, slots=True)
class Seen:
    """The tags of one inventory reply, as printed; in `collisions` slots several tags answered."""

    uids: tuple[bytes, ...]
    collisions: int = 0


@dataclass(frozen=True, slots=True)
class Asked:
    """A command as a simulated reader hears it; `uid` as printed, all empty where not meant."""

    what: Literal["identify", "inventory", "read", "write", "other"]
    uid: bytes = b""
    block: int = 0
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Voice:
    """How a simulated reader speaks: payloads of its replies, and `hear` for commands.

    `inventory` takes the tags in the field; `no_tag` and `no_block` are refusals. `error_head`
    replaces the first byte of a refusal in the family that marks errors so.
    """

    identity: bytes
    inventory: Callable[[tuple[bytes, ...]], tuple[bytes, ...]]
    no_tag: bytes
    no_block: bytes
    hear: Callable[[bytes], Asked]
    block: Callable[[bytes], bytes]
    written: bytes
    error_head: int | None = None


@dataclass(frozen=True, slots=True)
class Family:
    """One row.

    Payloads are what goes into an envelope; the first envelope is spoken, all are understood.
    `inventories` has a payload for each kind of tag the family sees; `follow` asks for more when a
    reply said so (empty: more comes by itself). `reset` goes out before each inventory where a tag
    answers only once while it stays. `read`, `write` and `block` (the bytes of one block out of a
    reply) are None where no document that we have tells how. `code_at` is where a payload has the
    number that its reply repeats, None where none does; every reader obeys the address `anyone`.
    """

    name: FamilyName
    title: str
    envelopes: tuple[Envelope, ...]
    baud: int
    identify: bytes
    inventories: Mapping[Air, bytes]
    understand: Callable[[Sealed], Reply]
    seen: Callable[[Reply, Air], Seen]
    describe: Callable[[Reply], str]
    way: Callable[[Sealed], Way]
    fields: Callable[[Sealed, Way], Fields]
    voice: Voice
    read: Callable[[bytes, int], bytes] | None = None
    write: Callable[[bytes, int, bytes], bytes] | None = None
    block: Callable[[Reply], bytes] | None = None
    parity: Literal["none", "even"] = "none"
    code_at: int | None = None
    anyone: int = 0
    follow: bytes = b""
    reset: bytes = b""
    tcp_ports: tuple[int, ...] = ()
    caveats: tuple[str, ...] = ()

    def new_framer(self) -> Framer:
        """A framer for all envelopes of the family."""
        return new_framer(*self.envelopes)

    def open(self, frame: bytes) -> Sealed:
        """One frame in whichever envelope of the family proves it; raises FrameError."""
        reason = ""
        for envelope in self.envelopes:
            try:
                return unseal(envelope, frame)
            except FrameError as exc:
                reason = reason or str(exc)
        raise FrameError(reason)

    def decode(self, frame: bytes) -> Reply:
        """One frame of a reader as its value; raises FrameError."""
        return self.understand(self.open(frame))

    def command(self, payload: bytes, address: int = 0, *, envelope: int = 0) -> bytes:
        """A command as it goes onto the wire."""
        return seal(self.envelopes[envelope], payload, address)
