"""An M100 made of code: speaks the real protocol byte for byte, sleeps and refuses like one."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from protocols.readers import m100
from protocols.readers.m100 import codes


@dataclass
class ScriptedM100:
    """Answers like a module; change it while it runs."""

    style: m100.Style = m100.BB_7E
    tags: list[bytes] = field(default_factory=list)
    pushes: bool = False
    stops: bool = True
    asleep: bool = False
    knows_info: bool = True
    silent: bool = False
    before: bytes = b""
    slow_s: float = 0.0
    power_cdbm: int = 2600
    powers_cdbm: frozenset[int] = frozenset({2000, 2600})
    region: int = 2
    keeps_region: bool = False
    rssi_dbm: int = -55
    memory: dict[tuple[bytes, int], bytearray] = field(default_factory=dict)
    """Contents by EPC and bank."""
    locked: bool = False
    forgets_writes: bool = False
    failure: int | None = None
    """Said instead of a round or an access."""
    misses: int = 0
    """Accesses lost in the air before one succeeds."""
    selected: bytes | None = None
    heard: list[m100.Command] = field(default_factory=list)
    send: Callable[[bytes], None] = lambda _: None
    unplug: Callable[[], None] = lambda: None

    def plugged(
        self, send: Callable[[bytes], None], unplug: Callable[[], None]
    ) -> Callable[[bytes], None]:
        """Somebody opened the wire; returns who hears what they say."""
        self.send, self.unplug = send, unplug
        framer = m100.new_framer([self.style], types=m100.FROM_HOST)

        def hear(data: bytes) -> None:
            if self.asleep:  # The byte that wakes it and the command behind it are lost.
                self.asleep, self.selected = False, None
                return
            for piece in framer.feed(data):
                if isinstance(piece, bytes):
                    self._hear(m100.decode_command(piece))

        return hear

    def push(self, epc: bytes) -> None:
        """One sighting, unasked."""
        self._say(self._tag(epc))

    def codes_heard(self, code: int) -> list[bytes]:
        """The parameters of every such command."""
        return [command.param for command in self.heard if command.code == code]

    def _hear(self, command: m100.Command) -> None:
        self.heard.append(command)
        if self.pushes and not (self.stops and command.code == codes.STOP):
            if command.code == codes.MULTI_POLL:
                self._say(self._round())
            return
        self._say(self._answer(command))

    def _say(self, data: bytes) -> None:
        if self.silent or not data:
            return
        if self.slow_s:
            asyncio.get_running_loop().call_later(self.slow_s, self.send, self.before + data)
        else:
            self.send(self.before + data)

    def _build(self, reply: m100.Reply) -> bytes:
        return m100.build_reply(reply, self.style)

    def _tag(self, epc: bytes) -> bytes:
        pc = m100.pc_of(epc)
        return self._build(m100.TagSeen(self.rssi_dbm, pc, epc, m100.tag_crc(pc, epc)))

    def _round(self) -> bytes:
        if self.failure is not None:
            return self._build(m100.Failure(self.failure))
        found = b"".join(self._tag(epc) for epc in self.tags)
        return found or self._build(m100.Failure(codes.NO_TAG))

    def _answer(self, command: m100.Command) -> bytes:
        match command.code:
            case codes.POLL:
                return self._round()
            case codes.MULTI_POLL:
                self.pushes = True
                return self._round()
            case codes.STOP:
                self.pushes = False
                return self._done(command.code)
            case codes.INFO if self.knows_info:
                info = m100.info_param(m100.Info(0, "M100 26dBm V1.0"))
                return self._build(m100.Answer(codes.INFO, info))
            case codes.GET_POWER:
                return self._build(m100.Answer(codes.GET_POWER, m100.power_param(self.power_cdbm)))
            case codes.SET_POWER:
                return self._set_power(m100.decode_power(command.param))
            case codes.GET_REGION:
                return self._build(m100.Answer(codes.GET_REGION, bytes((self.region,))))
            case codes.SET_REGION:
                self.region = self.region if self.keeps_region else command.param[0]
                return self._done(command.code)
            case codes.SET_SELECT:
                self.selected = m100.decode_select(command.param).mask
                return self._done(command.code)
            case codes.SELECT_MODE:
                return self._done(command.code)
            case codes.READ | codes.WRITE:
                return self._access(command.code, m100.decode_memory(command.param))
        return self._build(m100.Failure(codes.INVALID_COMMAND))

    def _done(self, code: int) -> bytes:
        return self._build(m100.Answer(code, bytes((codes.OK,))))

    def _set_power(self, power_cdbm: int) -> bytes:
        if power_cdbm not in self.powers_cdbm:
            return self._build(m100.Failure(codes.WRONG_PARAMETER))
        self.power_cdbm = power_cdbm
        return self._done(codes.SET_POWER)

    def _access(self, code: int, memory: m100.Memory) -> bytes:
        missed = codes.READ_FAILED if code == codes.READ else codes.WRITE_FAILED
        epc = self.selected
        if self.misses or epc is None or epc not in self.tags:
            self.misses = max(0, self.misses - 1)
            return self._build(m100.Failure(missed))
        pc = m100.pc_of(epc)
        cells = self.memory.setdefault((epc, memory.bank), bytearray(16))
        start, end = 2 * memory.start, 2 * (memory.start + memory.count)
        if self.locked or end > len(cells):
            error = (0xA0 if code == codes.READ else 0xB0) | (0x4 if self.locked else 0x3)
            return self._build(m100.Failure(error, pc, epc))
        if code == codes.READ:
            return self._build(m100.Access(code, pc, epc, bytes(cells[start:end])))
        if not self.forgets_writes:
            cells[start:end] = memory.data
            self._renamed(epc, memory.bank)
        return self._build(m100.Access(code, pc, epc, b"\x00"))

    def _renamed(self, epc: bytes, bank: int) -> None:
        """A tag whose EPC was written answers by the new one."""
        if bank != 1:
            return
        cells = self.memory.pop((epc, bank))
        new = bytes(cells[4 : 4 + 2 * (cells[2] >> 3)])
        self.tags = [new if tag == epc else tag for tag in self.tags]
        self.memory[new, bank] = cells
