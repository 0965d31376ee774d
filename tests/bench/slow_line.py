"""One Modbus unit on a pty that takes the time of a real line; prints the path of the pty.

    python -m tests.bench.slow_line BAUD

Every character takes ten bits. The unit answers after the silence that parts frames, no later; its
reply is handed over when its last character would have arrived. On SIGTERM it prints how many
requests came before the line had been silent for long enough.
"""

import os
import pty
import select
import signal
import sys
import time
import tty

from protocols.modbus import rtu_frame, rtu_silence_s
from protocols.registers import register_bytes

BITS = 10
EARLY_S = 0.000_05
"""How much too early a request may seem to come: two clocks are read a moment apart."""


def _wait_until(at_s: float) -> None:
    """Sleep, and spin for the last moment: a scheduler's slack is not the line's."""
    while (left_s := at_s - time.monotonic()) > 0:
        if left_s > 0.000_2:
            select.select((), (), (), left_s - 0.000_2)


def serve(master: int, baud: int) -> None:
    """Answer reads of holding registers with their addresses, until SystemExit."""
    char_s = BITS / baud
    silence_s = rtu_silence_s(char_s)
    free_s, hasty = 0.0, 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        while True:
            asked = os.read(master, 256)
            now_s = time.monotonic()
            hasty += now_s < free_s + silence_s - EARLY_S
            address, count = int.from_bytes(asked[2:4], "big"), int.from_bytes(asked[4:6], "big")
            values = register_bytes(range(address, address + count))
            reply = rtu_frame(asked[0], bytes((3, 2 * count)) + values)
            free_s = now_s + (len(asked) + len(reply)) * char_s + silence_s
            _wait_until(free_s)
            os.write(master, reply)
    finally:
        sys.stdout.write(f"{hasty}\n")


def main() -> None:
    """Open a pty and serve it."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    sys.stdout.write(os.ttyname(slave) + "\n")
    sys.stdout.flush()
    serve(master, int(sys.argv[1]))


if __name__ == "__main__":
    main()
