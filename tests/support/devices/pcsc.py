"""A real pcscd of our own with the virtual reader vpcd, and a scripted card to lay on it.

vpcd speaks two bytes of length and a message: one byte is a control (power, reset, ATR), anything
longer an APDU. The daemon gets its listening socket from us as from systemd, so that it neither
meets nor disturbs a pcscd of the machine.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from protocols.readers import pcsc

READER = "Scripted"
SLOT = f"{READER} 00 00"
LIBRARY = Path("/usr/lib/pcsc/drivers/serial/libifdvpcd.so")
_ATR = 4
"""The control that asks for the ATR; power and reset (0, 1, 2) want no answer."""
_STOP_WITHIN_S = 5.0
_CONNECT_TIMES_MAX = 100
_CONNECT_EVERY_S = 0.05
PAGES = 45
PAGE_BYTES = 4


def missing() -> str:
    """Why no daemon can be run here, empty when it can."""
    if shutil.which("pcscd") is None and not Path("/usr/sbin/pcscd").exists():
        return "pcscd is not installed (Debian: pcscd)"
    if not LIBRARY.exists():
        return "the virtual reader is not installed (Debian: vsmartcard-vpcd)"
    if os.geteuid() != 0:
        return "pcscd wants to be root for its run directory"
    return ""


@dataclass
class PcscDaemon:
    """One pcscd on a socket in `folder`; the library finds it by PCSCLITE_CSOCK_NAME."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def socket_path(self) -> Path:
        return self.folder / "pcscd.comm"

    def start(self) -> None:
        conf = self.folder / "reader.conf.d"
        conf.mkdir(exist_ok=True)
        (conf / "vpcd").write_text(
            f'FRIENDLYNAME "{READER}"\nDEVICENAME /dev/null:{self.port:#x}\n'
            f"LIBPATH {LIBRARY}\nCHANNELID {self.port:#x}\n"
        )
        self.socket_path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(self.socket_path))
            listening.listen()
            script = 'LISTEN_FDS=1 LISTEN_PID=$$ exec /usr/sbin/pcscd -f -c "$0" 3<&0 0</dev/null'
            with (self.folder / "log").open("ab") as log:
                self.process = subprocess.Popen(
                    ["/bin/sh", "-c", script, str(conf)],
                    stdin=listening.fileno(),
                    stdout=log,
                    stderr=log,
                )

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(_STOP_WITHIN_S)
            self.process = None
        self.socket_path.unlink(missing_ok=True)


def free_port() -> int:
    """A port whose successor is free too: vpcd opens one for each of its two slots."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
            with contextlib.suppress(OSError, OverflowError):
                second.bind(("127.0.0.1", port + 1))
                return port


def _connected(port: int) -> socket.socket:
    """A link to the reader, which opens its port a moment after the daemon has started."""
    pause = threading.Event()
    for _ in range(_CONNECT_TIMES_MAX):
        with contextlib.suppress(ConnectionRefusedError):
            return socket.create_connection(("127.0.0.1", port))
        pause.wait(_CONNECT_EVERY_S)
    raise AssertionError("the virtual reader does not open its port")


@dataclass
class ScriptedCard:
    """A storage card; lay it on with `lying`, change it while it lies there."""

    uid: bytes = bytes.fromhex("04112233445566")
    standard: int = 0x03
    card: int = pcsc.ULTRALIGHT
    le_max: int = 16
    """Readers that allow only one page answer 67 00 to more."""
    says: dict[bytes, bytes] = field(default_factory=dict)
    """Said instead of the answer to an APDU."""
    ignores_writes: bool = False
    slow_s: float = 0.0
    """How late every answer comes."""
    pages: list[bytes] = field(
        default_factory=lambda: [bytes((page,)) * PAGE_BYTES for page in range(PAGES)]
    )
    heard: list[bytes] = field(default_factory=list)

    @property
    def atr(self) -> bytes:
        return pcsc.build_storage_atr(self.standard, self.card)

    @contextlib.contextmanager
    def lying(self, port: int) -> Iterator[None]:
        """On the reader until the block ends."""
        with _connected(port) as link:
            thread = threading.Thread(target=self._serve, args=(link,), daemon=True)
            thread.start()
            try:
                yield
            finally:
                link.shutdown(socket.SHUT_RDWR)
                thread.join(_STOP_WITHIN_S)

    def _serve(self, link: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while message := self._message(link):
                answer = self._control(message) if len(message) == 1 else self._apdu(message)
                threading.Event().wait(self.slow_s)
                if answer is not None:
                    link.sendall(len(answer).to_bytes(2) + answer)

    def _message(self, link: socket.socket) -> bytes:
        size = int.from_bytes(link.recv(2, socket.MSG_WAITALL))
        return link.recv(size, socket.MSG_WAITALL) if size else b""

    def _control(self, message: bytes) -> bytes | None:
        return self.atr if message[0] == _ATR else None

    def _apdu(self, apdu: bytes) -> bytes:
        self.heard.append(apdu)
        if apdu in self.says:
            return self.says[apdu]
        if apdu == pcsc.GET_UID:
            return self.uid + b"\x90\x00"
        if apdu == pcsc.NO_BEEP:
            return b"\x90\x00"
        block = int.from_bytes(apdu[2:4])
        if block >= len(self.pages):
            return bytes.fromhex("6a82")
        if apdu[1] == 0xB0:
            if apdu[4] > self.le_max:
                return bytes.fromhex("6700")
            behind = (self.pages * 2)[block : block + 4]
            return b"".join(behind)[: apdu[4]] + b"\x90\x00"
        if not self.ignores_writes:
            self.pages[block] = apdu[5:]
        return b"\x90\x00"
