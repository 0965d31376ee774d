"""A scripted RFID head on Modbus: registers and coils of one unit, RTU on a pty, MBAP on TCP."""

from collections.abc import Callable
from dataclasses import dataclass, field

from protocols.modbus import MBAP, crc16, rtu_frame, tcp_frame
from protocols.registers import register_bytes


@dataclass
class ScriptedHead:
    """Answers like a head; change it while it runs."""

    unit: int = 1
    tags: list[bytes] = field(default_factory=list)
    """The uid in the field; a head sees one."""
    uid_at: int = 2
    words: int = 2
    present_at: int | None = None
    length_at: int | None = None
    coils: dict[int, bool] = field(default_factory=dict)
    latched_by: int | None = None
    """A coil that is set while a tag waits to be acknowledged."""
    no_tag_exception: int = 0
    silent: bool = False
    before: bytes = b""
    lies: int | None = None
    """The length told instead of the true one."""
    heard: list[bytes] = field(default_factory=list)
    """Request PDUs."""
    send: Callable[[bytes], None] = lambda _data: None
    unplug: Callable[[], None] = lambda: None

    def plugged(
        self, send: Callable[[bytes], None], unplug: Callable[[], None]
    ) -> Callable[[bytes], None]:
        self.send, self.unplug = send, unplug

        def hear(data: bytes) -> None:
            if self.silent:
                return
            if crc16(data[:-2]) == int.from_bytes(data[-2:], "little"):
                if data[0] == self.unit:
                    send(self.before + rtu_frame(data[0], self.answer(data[1:-2])))
                return
            transaction, _, size, unit = MBAP.unpack_from(data)
            send(tcp_frame(transaction, unit, self.answer(data[7 : 6 + size])))

        return hear

    def answer(self, pdu: bytes) -> bytes:
        self.heard.append(pdu)
        function, address = pdu[0], int.from_bytes(pdu[1:3])
        if function in (5, 6):
            self.coils[address] = pdu[3] != 0
            return pdu
        if self.no_tag_exception and not self.tags:
            return bytes((function | 0x80, self.no_tag_exception))
        registers = self._registers()
        values = [registers.get(address + at, 0) for at in range(int.from_bytes(pdu[3:5]))]
        return bytes((function, 2 * len(values))) + register_bytes(values)

    def _registers(self) -> dict[int, int]:
        uid = self.tags[0] if self.tags else b""
        whole = uid.ljust(2 * self.words, b"\x00")
        found = {
            self.uid_at + at: int.from_bytes(whole[2 * at : 2 * at + 2]) for at in range(self.words)
        }
        if self.present_at is not None:
            found[self.present_at] = int(bool(self.tags))
        if self.length_at is not None:
            found[self.length_at] = len(uid) if self.lies is None else self.lies
        return found
