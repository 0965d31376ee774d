"""A scripted UHFReader, byte for byte; wires and bench are those of `drivers.suite`."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from drivers.suite import Bench, on_pty, on_tcp, running
from protocols.readers.uhfreader import (
    LEN_MIN,
    Command,
    Dialect,
    Info,
    Tag,
    build_answer,
    build_info_reply,
    build_inventory_reply,
    build_push,
    codes,
    decode_access,
    decode_command,
    decode_params,
    new_framer,
)

__all__ = ["Bench", "ScriptedReader", "on_pty", "on_tcp", "running"]

PORTS = bytes((1, 0, 0, 0))
BANK_WORDS = 0x180
ACCESS_CODES = frozenset({codes.READ, codes.WRITE, codes.EXTENDED_READ, codes.EXTENDED_WRITE})


@dataclass
class ScriptedReader:
    """Answers like a reader; change it while it runs."""

    dialect: Dialect = "288"
    address: int = 0
    type_code: int = 0x26
    scan_time_100ms: int = 1
    tags: list[Tag] = field(default_factory=list)
    pushes: bool = False
    keeps_mode: bool = False
    silent: bool = False
    knows_info: bool = True
    before: bytes = b""
    """Garbage sent before every inventory reply."""
    status: int | None = None
    """Said instead of a round."""
    power_dbm: int = 30
    keeps_power: bool = False
    access_status: int | None = None
    """Said instead of every access to a tag's memory."""
    forgets_writes: bool = False
    memory: dict[tuple[bytes, int], bytearray] = field(default_factory=dict)
    heard: list[Command] = field(default_factory=list)
    send: Callable[[bytes], None] = lambda _: None
    unplug: Callable[[], None] = lambda: None
    connections: int = 0

    def plugged(
        self, send: Callable[[bytes], None], unplug: Callable[[], None]
    ) -> Callable[[bytes], None]:
        """Somebody opened the wire: how to reach them; returns who hears what they say."""
        self.send, self.unplug = send, unplug
        self.connections += 1
        framer = new_framer(len_min=LEN_MIN)

        def hear(data: bytes) -> None:
            for piece in framer.feed(data):
                if isinstance(piece, bytes):
                    command = decode_command(piece)
                    self.heard.append(command)
                    deaf = self.silent or (command.code == codes.INFO and not self.knows_info)
                    if not deaf and command.address in {self.address, 0xFF}:
                        send(self.answer(command))

        return hear

    def push(self, tag: Tag, antenna_raw: int = 1) -> None:
        self.send(build_push(self.address, self.dialect, tag, antenna_raw=antenna_raw))

    def answer(self, command: Command) -> bytes:
        if command.code == codes.INFO:
            extra = PORTS if self.dialect == "288" else b""
            info = (self.type_code, 3, 0x31, 0x80, self.power_dbm, self.scan_time_100ms, extra)
            return build_info_reply(Info(self.address, (3, 13), *info))
        if command.code in self._mode_codes():
            return self._mode(command)
        if command.code == codes.INVENTORY and not self.pushes:
            return self.before + self._inventory(command)
        if command.code == codes.SET_POWER and not self.pushes:
            return self._set_power(command)
        if command.code in ACCESS_CODES and not self.pushes:
            return self._access(command)
        return b"" if self.pushes else build_answer(self.address, 0, codes.ILLEGAL_COMMAND)

    def _set_power(self, command: Command) -> bytes:
        if self.keeps_power:
            return build_answer(self.address, command.code, codes.WRONG_PARAMETER)
        self.power_dbm = command.data[0]
        return build_answer(self.address, command.code, codes.OK)

    def bank(self, epc: bytes, bank: int) -> bytearray:
        """64 words of every bank; the EPC bank is the tag's own."""
        if bank == 1:
            return bytearray(2) + (len(epc) // 2 << 11).to_bytes(2) + epc
        return self.memory.setdefault((epc, bank), bytearray(2 * BANK_WORDS))

    def _access(self, command: Command) -> bytes:
        access = decode_access(command.code, command.data)
        if self.access_status is not None:
            data = b"\x04" if self.access_status == codes.TAG_ERROR else b""
            return build_answer(self.address, command.code, self.access_status, data)
        if access.epc not in [tag.epc for tag in self.tags]:
            return build_answer(self.address, command.code, codes.NO_TAG)
        memory = self.bank(access.epc, access.bank)
        first, last = 2 * access.start, 2 * (access.start + access.count)
        if not access.data:
            return build_answer(self.address, command.code, codes.OK, bytes(memory[first:last]))
        if not self.forgets_writes:
            memory[first:last] = access.data
            if access.bank == 1:
                self.tags = [
                    Tag(bytes(memory[4:]), tag.rssi_raw) if tag.epc == access.epc else tag
                    for tag in self.tags
                ]
        return build_answer(self.address, command.code, codes.OK)

    def _mode_codes(self) -> tuple[int, int]:
        if self.dialect == "18":
            return codes.GET_WORK_MODE_18, codes.SET_WORK_MODE_18
        return codes.GET_WORK_MODE_288, codes.SET_WORK_MODE_288

    def _mode(self, command: Command) -> bytes:
        if command.code == self._mode_codes()[1]:
            if self.keeps_mode:
                return build_answer(self.address, command.code, 0xF9)
            self.pushes = bool(command.data[0])
            return build_answer(self.address, command.code, codes.OK)
        mode = bytes((self.pushes,))
        data = mode + bytes(44) if self.dialect == "288" else bytes(4) + mode + bytes(7)
        return build_answer(self.address, command.code, codes.OK, data)

    def _inventory(self, command: Command) -> bytes:
        if self.status is not None:
            return build_answer(self.address, codes.INVENTORY, self.status)
        if self.dialect == "18":
            if command.data:
                return build_answer(self.address, codes.INVENTORY, codes.WRONG_LENGTH)
            if not self.tags:
                return build_answer(self.address, codes.INVENTORY, codes.NO_TAG)
            return build_inventory_reply(self.address, "18", self.tags, status=codes.DONE)
        if not command.data:
            return build_answer(self.address, codes.INVENTORY, codes.WRONG_LENGTH)
        params = decode_params(command.data)
        aim = params.aim
        antenna = 1 << (aim.antenna_selector - 0x80 if aim else 0)
        frames = [
            build_inventory_reply(self.address, "288", [tag], antenna_raw=antenna)
            for tag in (tag if params.fast_id else replace(tag, tid=b"") for tag in self.tags)
        ]
        end = build_inventory_reply(self.address, "288", status=codes.DONE, antenna_raw=antenna)
        return b"".join(frames) + end
