"""A Chafon CF reader made of code: greets, keeps its settings, and has the traps of the real one."""

import asyncio
import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field

from protocols.checksums import genibus
from protocols.readers import chafon_cf
from protocols.readers.chafon_cf import codes

PARAMS = chafon_cf.decode_params(
    bytes.fromhex("0000008004000101038602ee01f431" + "1e0104000000000301" + "00")
)
"""As captured, but answering: US channels, antenna 1, 30 dBm."""
INFO = chafon_cf.Info(
    "CP-203910_V1.13", "UHF Access Reader V1.0", bytes(12), "MU-910_V1.3-M", "V1.4.12", bytes(12)
)


@dataclass
class ScriptedChafon:
    """Answers like a reader; change it while it runs."""

    tags: list[bytes] = field(default_factory=list)
    params: chafon_cf.Params = PARAMS
    pushes: bool = False
    stops: bool = True
    knows: frozenset[int] = frozenset(codes.COMMAND_NAMES)
    """Commands it answers at all."""
    refuses: frozenset[int] = frozenset()
    """Commands it answers with a failure."""
    has_rounds: bool = True
    keeps: frozenset[str] = frozenset()
    """Parameters it does not let go of."""
    power_max_dbm: int = 30
    silent: bool = False
    before: bytes = b""
    slow_s: float = 0.0
    address: int = 1
    antenna: int = 1
    rssi_ddbm: int = -710
    barcodes: list[str] = field(default_factory=list)
    """Said once, in the next round."""
    status: int | None = None
    """Said instead of a round or an access."""
    misses: int = 0
    """Accesses lost in the air before one succeeds."""
    tag_status: int = codes.OK
    forgets_writes: bool = False
    memory: dict[tuple[bytes, int], bytearray] = field(default_factory=dict)
    deaf: bool = False
    """Two commands in one piece made it so, until somebody plugs in again."""
    heard: list[chafon_cf.Command] = field(default_factory=list)
    send: Callable[[bytes], None] = lambda _: None
    unplug: Callable[[], None] = lambda: None

    def plugged(
        self, send: Callable[[bytes], None], unplug: Callable[[], None]
    ) -> Callable[[bytes], None]:
        """Somebody opened the wire; returns who hears what they say."""
        self.send, self.unplug, self.deaf = send, unplug, False
        framer = chafon_cf.new_framer(len_min=0)
        self._say(chafon_cf.GREETING)

        def hear(data: bytes) -> None:
            frames = [piece for piece in framer.feed(data) if isinstance(piece, bytes)]
            self.deaf = self.deaf or len(frames) > 1
            for frame in frames:
                command = chafon_cf.decode_command(frame)
                self.heard.append(command)
                if not self.deaf and command.code in self.knows:
                    self._say(self._answer(command))

        return hear

    def push(self, epc: bytes) -> None:
        """One sighting, unasked."""
        self._say(self._tag(epc))

    def scan(self, text: str) -> None:
        """The barcode head saw something, unasked."""
        self._say(self._build(chafon_cf.Barcode(self.address, text)))

    def data_heard(self, code: int) -> list[bytes]:
        """The data of every such command."""
        return [command.data for command in self.heard if command.code == code]

    def _say(self, data: bytes) -> None:
        if self.silent or not data:
            return
        if self.slow_s:
            asyncio.get_running_loop().call_later(self.slow_s, self.send, self.before + data)
        else:
            self.send(self.before + data)

    def _build(self, reply: chafon_cf.Reply) -> bytes:
        return chafon_cf.build_reply(reply)

    def _status(self, code: int, status: int) -> bytes:
        return self._build(chafon_cf.Answer(self.address, code, status))

    def _tag(self, epc: bytes) -> bytes:
        tag = chafon_cf.TagSeen(self.address, self.rssi_ddbm, self.antenna, 0, epc)
        return self._build(tag)

    def _answer(self, command: chafon_cf.Command) -> bytes:
        if command.code in self.refuses:
            return self._status(command.code, codes.FAILED)
        match command.code:
            case codes.INVENTORY:
                return self._inventory(chafon_cf.decode_inventory(command.data))
            case codes.STOP:
                self.pushes = self.pushes and not self.stops
                return self._status(codes.STOP, codes.OK)
            case codes.INFO:
                return self._build(chafon_cf.InfoReply(self.address, INFO))
            case codes.GET_PARAMS:
                return self._build(chafon_cf.ParamsReply(self.address, self.params))
            case codes.SET_PARAMS:
                self._set(chafon_cf.decode_params(command.data))
                return self._status(codes.SET_PARAMS, codes.OK)
            case codes.SET_POWER:
                return self._set_power(command.data[0])
            case codes.READ | codes.WRITE:
                return self._access(command.code, chafon_cf.decode_memory(command.data))
        return self._status(command.code, codes.FAILED)

    def _set(self, params: chafon_cf.Params) -> None:
        kept = {name: getattr(self.params, name) for name in self.keeps}
        self.params = dataclasses.replace(params, **kept)
        self.pushes = self.params.work_mode == codes.ACTIVE_MODE

    def _set_power(self, power_dbm: int) -> bytes:
        if power_dbm > self.power_max_dbm:
            return self._status(codes.SET_POWER, codes.WRONG_PARAMETER)
        self.params = dataclasses.replace(self.params, power_dbm=power_dbm)
        return self._status(codes.SET_POWER, codes.OK)

    def _inventory(self, inventory: chafon_cf.Inventory) -> bytes:
        if self.status is not None:
            return self._status(codes.INVENTORY, self.status)
        if inventory.by == chafon_cf.BY_ROUNDS and not self.has_rounds:
            return self._status(codes.INVENTORY, codes.WRONG_PARAMETER)
        found = b"".join(self._tag(epc) for epc in self.tags)
        while self.barcodes:
            found += self._build(chafon_cf.Barcode(self.address, self.barcodes.pop()))
        if inventory.by == chafon_cf.BY_TIME:
            self.pushes = True
            return found
        return found + self._status(codes.INVENTORY, codes.ROUND_FINISHED)

    def _access(self, code: int, memory: chafon_cf.Memory) -> bytes:
        """Every tag in the field, then the status that ends it."""
        end = self._status(code, codes.ROUND_FINISHED)
        if self.status is not None:
            return self._status(code, self.status)
        if self.misses:
            self.misses -= 1
            return end
        return b"".join(self._touch(code, epc, memory) for epc in tuple(self.tags)) + end

    def _touch(self, code: int, epc: bytes, memory: chafon_cf.Memory) -> bytes:
        pc = len(epc) // 2 << 11
        crc = genibus(pc.to_bytes(2) + epc)
        cells = self.memory.setdefault((epc, memory.bank), bytearray(64))
        start, end = 2 * memory.start, 2 * (memory.start + memory.count)
        data = bytes(cells[start:end]) if code == codes.READ and not self.tag_status else b""
        if code == codes.WRITE and not self.forgets_writes:
            cells[start:end] = memory.data
            self._renamed(epc, memory.bank)
        return self._build(
            chafon_cf.TagAccess(self.address, code, self.tag_status, 1, crc, pc, epc, data)
        )

    def _renamed(self, epc: bytes, bank: int) -> None:
        """A tag whose EPC was written answers by the new one."""
        if bank != 1:
            return
        cells = self.memory.pop((epc, bank))
        new = bytes(cells[4 : 4 + 2 * (cells[2] >> 3)])
        self.tags = [new if tag == epc else tag for tag in self.tags]
        self.memory[new, bank] = cells
