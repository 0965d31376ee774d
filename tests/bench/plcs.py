"""Many light PLCs and scanners in one process: Modbus TCP answered from templates, no simulation.

    python -m tests.bench.plcs LOG --count 64 --scene empty|filling|turnover --codes FILE

Prints one JSON line with its ports, and on SIGTERM writes LOG: int64 quadruples, all times in
CLOCK_MONOTONIC ns.

* `empty`, `filling`: (PLC, gross in grams, changed at, reply sent at) of every poll. The weight
  moves by one gram every CHANGE_NS, each PLC at its own phase: shorter than a poll, so that every
  poll carries a change. It is worked out when asked, so the time of the change is exact and costs
  no timer. `filling` has a cylinder on each scale, whose code the scanner says when the gateway
  connects; flow starts with the permit.
* `turnover`: cylinders come, are scanned, permitted and taken away again: (PLC, code sent at,
  permit written at, read-back sent at), zeros when no permit came within PATIENCE_POLLS.

One line with the name of the scene is printed when it plays: all are polled, all flow, or the
first cylinder was taken away again.
"""

import argparse
import heapq
import itertools
import json
import random
import selectors
import signal
import socket
import struct
import sys
import time
from array import array
from collections.abc import Callable
from functools import partial
from pathlib import Path

CHANGE_NS = 90_000_000
HEARTBEAT_NS = 50_000_000
TARE_G = 45_200
TOTAL_G = 1_000_000
COMMAND_BYTES = 14
READY, CYLINDER_ON, PERMITTED, FILLING, STABLE, ABORTED, VALVE_OPEN = 1, 2, 4, 8, 32, 128, 4096
END_WITHDRAWN = 3
EMPTY_POLLS, STANDING_POLLS, PERMITTED_POLLS, PATIENCE_POLLS = 6, 2, 2, 40
"""A turn of a cylinder, in polls: nobody there, there but not scanned, permitted; and too long."""

_HEAD = struct.Struct(">HHHBBHH")
_REPORT = struct.Struct(">HHHBBBHHiiiIHHiHH")
"""MBAP and the answer to reading 100..115 (reference-gate-v1)."""


class Plc:
    """One gate: seven command registers, a report, and what it was asked."""

    def __init__(self, number: int, count: int, log: "array[int]", *, cylinder_on: bool) -> None:
        self.number = number
        self.polls = 0
        self._log = log
        self._cylinder_on = cylinder_on
        self._command = bytearray(COMMAND_BYTES)
        self._began_ns = time.monotonic_ns() + CHANGE_NS * number // count
        self._fill: tuple[int, int] | None = None
        self._last = (0, 0)
        self._total_g = TOTAL_G

    @property
    def filling(self) -> bool:
        """Whether a permit is in force."""
        return self._fill is not None

    def answer(self, frame: bytes) -> bytes:
        """The reply to one request frame."""
        transaction, _, _, unit, function, address, value = _HEAD.unpack_from(frame)
        if function == 3 and address == 100:
            return self._report(transaction, unit)
        if function == 3:
            body = struct.pack(">BB", 3, 2 * value)
            return self._frame(
                transaction, unit, body + self._command[2 * address : 2 * (address + value)]
            )
        data = frame[10:12] if function == 6 else frame[13:]
        self._command[2 * address : 2 * address + len(data)] = data
        self._obey()
        return self._frame(transaction, unit, frame[7:12])

    @staticmethod
    def _frame(transaction: int, unit: int, pdu: bytes) -> bytes:
        return struct.pack(">HHHB", transaction, 0, 1 + len(pdu), unit) + pdu

    def _obey(self) -> None:
        """Permit 0 closes; a new permit opens and flow starts at once."""
        permit = int.from_bytes(self._command[:2], "big")
        if self._fill is not None and self._fill[0] != permit:
            net_g = self._gross_step(time.monotonic_ns()) - self._fill[1]
            self._last = (self._fill[0], net_g)
            self._total_g += net_g
            self._fill = None
        if permit and self._fill is None:
            self._fill = (permit, self._gross_step(time.monotonic_ns()))

    def _gross_step(self, now_ns: int) -> int:
        return max(0, now_ns - self._began_ns) // CHANGE_NS

    def _report(self, transaction: int, unit: int) -> bytes:
        now_ns = time.monotonic_ns()
        step = self._gross_step(now_ns)
        permit, net_g = 0, self._last[1]
        status = READY | STABLE | (ABORTED if self._last[0] else 0)
        gross_g = TARE_G + net_g
        if not self._cylinder_on:
            status, gross_g, net_g = READY, step, step
        elif self._fill is not None:
            permit, net_g = self._fill[0], step - self._fill[1]
            status, gross_g = READY | PERMITTED | FILLING | VALVE_OPEN, TARE_G + net_g
        status |= CYLINDER_ON if self._cylinder_on else 0
        flowed_g = net_g if self._fill is not None else 0
        reply = _REPORT.pack(
            *(transaction, 0, 35, unit, 3, 32, status, permit, gross_g, net_g, TARE_G),
            *(self._total_g + flowed_g, 1, END_WITHDRAWN if self._last[0] else 0),
            *(self._last[1], self._last[0], (now_ns // HEARTBEAT_NS) & 0xFFFF),
        )
        self.polls += 1
        changed_ns = self._began_ns + step * CHANGE_NS
        self._log.extend((self.number, gross_g, changed_ns, time.monotonic_ns()))
        return reply


class TurnoverPlc(Plc):
    """A gate where cylinders come and go; nobody ever presses start."""

    def __init__(self, number: int, count: int, log: "array[int]", site: "Site") -> None:
        super().__init__(number, count, log, cylinder_on=False)
        self._site = site
        self._phase_polls = 0
        self._on = self._scanned = False
        self._scanned_ns = self._written_ns = self._read_back_ns = 0

    def answer(self, frame: bytes) -> bytes:
        """Note when the permit is written, and when it is read back."""
        reply = super().answer(frame)
        permit = int.from_bytes(self._command[:2], "big")
        now_ns = time.monotonic_ns()
        if frame[7] != 3 and permit and not self._written_ns:
            self._written_ns = now_ns
        elif frame[7:10] == b"\3\0\0" and permit and self._written_ns and not self._read_back_ns:
            self._read_back_ns = now_ns
            self._phase_polls = 0
        return reply

    def _obey(self) -> None:
        """A permit alone moves nothing."""

    def _report(self, transaction: int, unit: int) -> bytes:
        self._turn()
        now_ns = time.monotonic_ns()
        permit = int.from_bytes(self._command[:2], "big") if self._on else 0
        status = READY | STABLE | (CYLINDER_ON if self._on else 0) | (PERMITTED if permit else 0)
        return _REPORT.pack(
            *(transaction, 0, 35, unit, 3, 32, status, permit, TARE_G if self._on else 0, 0, 0),
            *(TOTAL_G, 0, 0, 0, 0, (now_ns // HEARTBEAT_NS) & 0xFFFF),
        )

    def _turn(self) -> None:
        """What happens to the cylinder at this poll."""
        self._phase_polls += 1
        if not self._on:
            if self._phase_polls > EMPTY_POLLS:
                self._on, self._phase_polls = True, 0
        elif not self._scanned:
            if self._phase_polls == STANDING_POLLS:
                self._site.later(self.scan)
        elif self._phase_polls >= (PERMITTED_POLLS if self._read_back_ns else PATIENCE_POLLS):
            self._log.extend((self.number, self._scanned_ns, self._written_ns, self._read_back_ns))
            self._on = self._scanned = False
            self._phase_polls = self._written_ns = self._read_back_ns = 0

    def scan(self) -> None:
        """Show the next cylinder to the scanner."""
        self._scanned, self._phase_polls = True, 0
        self._scanned_ns = time.monotonic_ns()
        self._site.say_code(self.number)


class Site:
    """Every socket of the process on one selector."""

    def __init__(self, scene: str, count: int, codes: list[str]) -> None:
        self.log: array[int] = array("q")
        self._scene = scene
        self.plcs = [self._plc(number, count) for number in range(count)]
        self._codes = itertools.cycle(codes)
        self._selector = selectors.EpollSelector()
        self._scanners: dict[int, socket.socket] = {}
        self._later: list[tuple[float, int, Callable[[], None]]] = []
        self._random = random.Random(1)
        self.plc_ports = [self._listen(partial(self._plc_connected, plc)) for plc in self.plcs]
        self.scanner_ports = [
            self._listen(partial(self._scanner_connected, number)) for number in range(count)
        ]

    def _plc(self, number: int, count: int) -> Plc:
        if self._scene == "turnover":
            return TurnoverPlc(number, count, self.log, self)
        return Plc(number, count, self.log, cylinder_on=self._scene == "filling")

    def _listen(self, connected: Callable[[socket.socket], None]) -> int:
        listener = socket.create_server(("127.0.0.1", 0))

        def accept(_: socket.socket) -> None:
            sock, _peer = listener.accept()
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connected(sock)

        self._selector.register(listener, selectors.EVENT_READ, accept)
        return int(listener.getsockname()[1])

    def _plc_connected(self, plc: Plc, sock: socket.socket) -> None:
        def read(sock: socket.socket) -> None:
            frame = sock.recv(300)
            if frame:
                sock.sendall(plc.answer(frame))
            else:
                self._selector.unregister(sock)
                sock.close()

        self._selector.register(sock, selectors.EVENT_READ, read)

    def _scanner_connected(self, number: int, sock: socket.socket) -> None:
        self._scanners[number] = sock
        if self._scene == "filling":
            self.say_code(number)

    def say_code(self, number: int) -> None:
        """The scanner of one PLC reads the next cylinder."""
        self._scanners[number].sendall(next(self._codes).encode() + b"\r")

    def later(self, call: Callable[[], None]) -> None:
        """Call at a random moment of the next 100 ms."""
        due_s = time.monotonic() + self._random.uniform(0, 0.1)
        heapq.heappush(self._later, (due_s, next(_order), call))

    def serve(self) -> None:
        """Answer until SystemExit."""
        told = False
        while True:
            timeout_s = self._later[0][0] - time.monotonic() if self._later else None
            for key, _ in self._selector.select(timeout_s):
                key.data(key.fileobj)
            while self._later and self._later[0][0] <= time.monotonic():
                heapq.heappop(self._later)[2]()
            if not told and self._plays():
                told = True
                _say(self._scene)

    def _plays(self) -> bool:
        if self._scene == "turnover":
            return bool(self.log)
        return all(plc.filling if self._scene == "filling" else plc.polls for plc in self.plcs)


_order = itertools.count()


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    """Serve until SIGTERM, then write what was answered."""
    parser = argparse.ArgumentParser()
    parser.add_argument("log", type=Path)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--scene", choices=("empty", "filling", "turnover"), required=True)
    parser.add_argument("--codes", type=Path, required=True)
    asked = parser.parse_args()
    site = Site(asked.scene, asked.count, asked.codes.read_text().split())
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    _say(json.dumps({"plcs": site.plc_ports, "scanners": site.scanner_ports}))
    try:
        site.serve()
    finally:
        asked.log.write_bytes(site.log.tobytes())


if __name__ == "__main__":
    main()
