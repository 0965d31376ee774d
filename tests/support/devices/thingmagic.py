"""A scripted ThingMagic or Silion module, byte for byte: real frames for what a real one would do."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from protocols.readers.thingmagic import (
    Command,
    Tag,
    build_reply,
    codes,
    commands,
    decode_command,
    new_command_framer,
    replies,
    silion,
)

VERSIONS = {
    "thingmagic": bytes.fromhex("0710230001000003201410070107020900000010"),
    "silion": bytes.fromhex("13041500a8000001201305221305230000000010"),
}
BUFFER_REPLY_TAGS = 4
"""Tags of one reply to 0x29; more take several."""
WORDS = {0: 4, 1: 8, 2: 6, 3: 32}


@dataclass
class ScriptedModule:
    """Answers like a module; change it while it runs."""

    dialect: Literal["thingmagic", "silion"] = "thingmagic"
    tags: list[bytes] = field(default_factory=list)
    """EPCs in the field."""
    antenna: int = 1
    boot_loader: bool = True
    region: int = 0
    protocol: int = 0
    power_cdbm: int = 2300
    powers: dict[int, bytes] = field(default_factory=lambda: {1: bytes.fromhex("0bb80bb8")})
    antennas: bytes = b"\x01\x01"
    read_filter: bool = True
    pushes: bool = False
    """Streams: says every tag at once, until told to stop."""
    silent: bool = False
    before: bytes = b""
    """Garbage sent before every reply."""
    search_status: int | None = None
    """Said instead of every search."""
    needs_metadata: bool = False
    """Newer firmware: a search without metadata flags is malformed."""
    broken_crc: set[bytes] = field(default_factory=set)
    """EPCs that are heard badly."""
    forgets_writes: bool = False
    heard: list[Command] = field(default_factory=list)
    memory: dict[tuple[bytes, int], bytearray] = field(default_factory=dict)
    buffer: list[bytes] = field(default_factory=list)
    connections: int = 0
    send: Callable[[bytes], None] = lambda _data: None
    unplug: Callable[[], None] = lambda: None

    def plugged(
        self, send: Callable[[bytes], None], unplug: Callable[[], None]
    ) -> Callable[[bytes], None]:
        self.send, self.unplug = send, unplug
        self.connections += 1
        framer = new_command_framer()

        def hear(data: bytes) -> None:
            for piece in framer.feed(data):
                if isinstance(piece, bytes):
                    command = decode_command(piece)
                    self.heard.append(command)
                    if not self.silent:
                        send(self.before + self.answer(command))
            if self.pushes and not self.silent:
                for epc in self.tags:
                    self.push(epc)

        return hear

    @property
    def said(self) -> list[int]:
        """The opcodes heard, in order."""
        return [command.opcode for command in self.heard]

    def push(self, epc: bytes) -> None:
        """One sighting of a stream."""
        if self.dialect == "silion":
            self.send(silion.build_async_tag(0x0007, self._tag(epc)))
        else:
            self.send(replies.build_streamed(0x0007, self._tag(epc)))

    def live(self) -> None:
        """The sign of life of a stream without tags."""
        beat = silion.build_heartbeat() if self.dialect == "silion" else replies.build_cycle()
        self.send(beat)

    def _tag(self, epc: bytes) -> Tag:
        antenna = self.antenna << 4 | self.antenna
        crc = b"\xba\xad" if epc in self.broken_crc else b""
        return Tag(epc, crc=crc, read_count=1, rssi_dbm=-60, antenna_raw=antenna)

    def answer(self, command: Command) -> bytes:
        opcode, data = command.opcode, command.data
        if opcode == codes.VERSION:
            return build_reply(opcode, codes.OK, VERSIONS[self.dialect])
        if opcode == codes.PROGRAM:
            return build_reply(opcode, codes.OK, b"\x11" if self.boot_loader else b"\x12")
        if opcode == codes.BOOT and self.boot_loader:
            self.boot_loader = False
            return build_reply(opcode, codes.OK, VERSIONS[self.dialect])
        known = _ANSWERS.get(opcode)
        if self.boot_loader or known is None:
            return build_reply(opcode, codes.INVALID_OPCODE)
        return known(self, data)

    def _region(self, data: bytes) -> bytes:
        self.region = data[0]
        return build_reply(codes.SET_REGION, codes.OK)

    def _protocol(self, data: bytes) -> bytes:
        self.protocol = int.from_bytes(data)
        return build_reply(codes.SET_PROTOCOL, codes.OK)

    def _power(self, data: bytes) -> bytes:
        if int.from_bytes(data) > 3150:
            return build_reply(codes.SET_READ_POWER, 0x0103)
        self.power_cdbm = int.from_bytes(data)
        return build_reply(codes.SET_READ_POWER, codes.OK)

    def _get_antennas(self, data: bytes) -> bytes:
        told = self.antennas
        if data == b"\x03":
            if self.dialect != "silion":
                return build_reply(codes.GET_ANTENNA, 0x0105)
            told = data + b"".join(bytes((port,)) + power for port, power in self.powers.items())
        return build_reply(codes.GET_ANTENNA, codes.OK, told)

    def _set_antennas(self, data: bytes) -> bytes:
        if data[0] == 3 and len(data) > 2:
            for at in range(1, len(data), 5):
                self.powers[data[at]] = data[at + 1 : at + 5]
        else:
            self.antennas = data
        return build_reply(codes.SET_ANTENNA, codes.OK)

    def _get_option(self, data: bytes) -> bytes:
        return build_reply(codes.GET_OPTION, codes.OK, data + bytes((self.read_filter,)))

    def _set_option(self, data: bytes) -> bytes:
        self.read_filter = bool(data[2])
        return build_reply(codes.SET_OPTION, codes.OK)

    def _clear(self, _data: bytes) -> bytes:
        self.buffer.clear()
        return build_reply(codes.CLEAR_BUFFER, codes.OK)

    def _search(self, data: bytes) -> bytes:
        if self.needs_metadata and not data[0] & codes.WITH_METADATA:
            return build_reply(codes.READ_MULTIPLE, 0x0100)
        status = codes.OK if self.region and self.protocol == codes.GEN2 else 0x010B
        status = self.search_status if self.search_status is not None else status
        if status != codes.OK:
            return build_reply(codes.READ_MULTIPLE, status)
        self.buffer = list(self.tags)
        return replies.build_searched(len(self.buffer))

    def _get_buffer(self, data: bytes) -> bytes:
        now, self.buffer = self.buffer[:BUFFER_REPLY_TAGS], self.buffer[BUFFER_REPLY_TAGS:]
        tags = tuple(self._tag(epc) for epc in now)
        return replies.build_buffered(int.from_bytes(data[:2]), tags)

    def _continuous(self, data: bytes) -> bytes:
        if self.dialect == "silion":
            return build_reply(codes.CONTINUOUS, codes.INVALID_OPCODE)
        self.pushes = data[2] == commands.STREAM_START
        return build_reply(codes.CONTINUOUS, codes.OK, data[2:3])

    def _extended(self, data: bytes) -> bytes:
        if self.dialect != "silion":
            return build_reply(codes.EXTENDED, codes.INVALID_OPCODE)
        subcommand = silion.decode_extended_command(data).subcommand
        self.pushes = subcommand == silion.START_ASYNC
        return silion.build_extended_reply(subcommand)

    def _read(self, data: bytes) -> bytes:
        access = commands.decode_access(codes.READ_DATA, data)
        if access.epc not in self.tags:
            return build_reply(codes.READ_DATA, codes.NO_TAG)
        found = self._bank(access.epc, access.bank)
        words = found[2 * access.address : 2 * (access.address + access.count)]
        if len(words) != 2 * access.count:
            return build_reply(codes.READ_DATA, 0x0423)
        return build_reply(codes.READ_DATA, codes.OK, data[2:3] + b"\x00\x00" + bytes(words))

    def _write(self, data: bytes) -> bytes:
        access = commands.decode_access(codes.WRITE_DATA, data)
        if access.epc not in self.tags:
            return build_reply(codes.WRITE_DATA, codes.NO_TAG)
        if access.password:
            return build_reply(codes.WRITE_DATA, 0x0424)
        found = self._bank(access.epc, access.bank)
        if not self.forgets_writes:
            found[2 * access.address : 2 * access.address + len(access.data)] = access.data
        if access.bank == 1:
            epc = bytes(found[4 : 4 + 2 * (found[2] >> 3)])
            self.tags = [epc if tag == access.epc else tag for tag in self.tags]
            self.memory[epc, 1] = found
        return build_reply(codes.WRITE_DATA, codes.OK)

    def _bank(self, epc: bytes, bank: int) -> bytearray:
        blank = bytearray(2 * WORDS[bank])
        if bank == 1:
            blank[2:4] = (len(epc) // 2 << 11).to_bytes(2)
            blank[4 : 4 + len(epc)] = epc
        return self.memory.setdefault((epc, bank), blank)


_ANSWERS: dict[int, Callable[[ScriptedModule, bytes], bytes]] = {
    codes.GET_REGION: lambda m, _: build_reply(codes.GET_REGION, codes.OK, bytes((m.region,))),
    codes.SET_REGION: ScriptedModule._region,
    codes.GET_PROTOCOL: lambda m, _: build_reply(
        codes.GET_PROTOCOL, codes.OK, m.protocol.to_bytes(2)
    ),
    codes.SET_PROTOCOL: ScriptedModule._protocol,
    codes.GET_READ_POWER: lambda m, d: build_reply(
        codes.GET_READ_POWER,
        codes.OK,
        d + m.power_cdbm.to_bytes(2) + (bytes.fromhex("0c4e03e8") if d == b"\x01" else b""),
    ),
    codes.GET_WRITE_POWER: lambda m, d: build_reply(
        codes.GET_WRITE_POWER, codes.OK, d + m.power_cdbm.to_bytes(2)
    ),
    codes.SET_READ_POWER: ScriptedModule._power,
    codes.GET_ANTENNA: ScriptedModule._get_antennas,
    codes.SET_ANTENNA: ScriptedModule._set_antennas,
    codes.GET_OPTION: ScriptedModule._get_option,
    codes.SET_OPTION: ScriptedModule._set_option,
    codes.CLEAR_BUFFER: ScriptedModule._clear,
    codes.READ_MULTIPLE: ScriptedModule._search,
    codes.GET_BUFFER: ScriptedModule._get_buffer,
    codes.CONTINUOUS: ScriptedModule._continuous,
    codes.EXTENDED: ScriptedModule._extended,
    codes.READ_DATA: ScriptedModule._read,
    codes.WRITE_DATA: ScriptedModule._write,
}
