"""Real MQTT brokers on loopback: Debian's mosquitto and the embedded iotcore, as processes.

Both listen on a random port of 127.0.0.1, can be killed and started again on the same port, and
are ready when a connection succeeds; nothing here sleeps and hopes.

    with Mosquitto(tmp_path) as broker, Subscriber(broker.port, "#") as seen: ...

Mosquitto keeps nothing over a restart, so a retained topic seen afterwards was published again.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from gatewayd.sim.broker import config_text, free_port
from tests.support.certificates import Certificates
from tests.support.waiting import WITHIN_S

READY_S_MAX = WITHIN_S
PAUSE_S = 0.01
MOSQUITTO = shutil.which(
    "mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
)
needs_mosquitto = pytest.mark.skipif(
    MOSQUITTO is None, reason="mosquitto is not installed (Debian package: mosquitto)"
)


class Broker:
    """One broker process. Subclasses say how it is started; the port stays over restarts."""

    scheme = "mqtt"

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = free_port()
        self.log_path = directory / f"broker-{self.port}.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """What goes into `url:` of an upstream."""
        return f"{self.scheme}://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The process, for looking at what it costs."""
        assert self._process is not None, "not running"
        return self._process.pid

    def command(self) -> Sequence[str]:
        raise NotImplementedError

    def start(self) -> Self:
        """Start and return once the port answers."""
        assert self._process is None, "already running"
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self._wait_ready(self._process)
        return self

    def stop(self) -> None:
        """Ask it to end and wait."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a power cut would: nothing is said to anyone."""
        self._end(signal.SIGKILL)

    def restart(self) -> Self:
        """Kill it and start it again on the same port."""
        self.kill()
        return self.start()

    def freeze(self) -> None:
        """Stop it from answering while every connection stays open."""
        assert self._process is not None, "not running"
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen broker go on."""
        assert self._process is not None, "not running"
        self._process.send_signal(signal.SIGCONT)

    def log(self) -> str:
        """Everything the broker said so far."""
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self.kill()

    def _end(self, how: signal.Signals) -> None:
        assert self._process is not None, "not running"
        self._process.send_signal(how)
        self._process.wait(READY_S_MAX)
        self._process = None

    def _wait_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + READY_S_MAX
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                self._pause(process)
            else:
                return
        raise AssertionError(f"{type(self).__name__} does not answer:\n{self.log()}")

    def _pause(self, process: subprocess.Popen[bytes]) -> None:
        """Wait a moment for the port, or find out that the process has died."""
        try:
            code = process.wait(PAUSE_S)
        except subprocess.TimeoutExpired:
            return
        self._process = None
        raise AssertionError(f"{type(self).__name__} ended with {code}:\n{self.log()}")


class Mosquitto(Broker):
    """Debian's mosquitto with its own config file; in-memory, loopback only.

    `users` (name -> password) ends anonymous access; `acl` is the text of an ACL file;
    `certificates` turn TLS on, and `ask_client` makes it want a client certificate;
    `persistent`: it keeps sessions and retained messages in a file that it writes at its end;
    `extra` are more lines of mosquitto.conf.
    """

    def __init__(
        self,
        directory: Path,
        *,
        users: Mapping[str, str] | None = None,
        acl: str | None = None,
        certificates: Certificates | None = None,
        ask_client: bool = False,
        persistent: bool = False,
        extra: Sequence[str] = (),
    ) -> None:
        if MOSQUITTO is None:
            pytest.skip("mosquitto is not installed (Debian package: mosquitto)")
        super().__init__(directory)
        self.scheme = "mqtts" if certificates else "mqtt"
        self._config = directory / f"mosquitto-{self.port}.conf"
        self._acl = directory / f"mosquitto-{self.port}.acl"
        lines = [
            f"listener {self.port} 127.0.0.1",
            f"persistence {'true' if persistent else 'false'}",
            f"persistence_location {directory}/",
            "log_type all",
            "set_tcp_nodelay true",
            f"allow_anonymous {'false' if users else 'true'}",
            *(["user root"] if os.geteuid() == 0 else []),
            *(self._user_lines(users) if users else []),
            *(self._tls_lines(certificates, ask_client=ask_client) if certificates else []),
            *extra,
        ]
        if acl is not None:
            self._acl.write_text(acl)
            lines.append(f"acl_file {self._acl}")
        self._config.write_text("\n".join(lines) + "\n")

    def command(self) -> Sequence[str]:
        assert MOSQUITTO is not None
        return [MOSQUITTO, "-c", str(self._config)]

    def set_acl(self, acl: str) -> None:
        """Replace the ACL of a running broker; returns when it has been read."""
        assert self._process is not None, "not running"
        reloads = self.log().count("Reloading config")
        self._acl.write_text(acl)
        self._process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + READY_S_MAX
        while self.log().count("Reloading config") == reloads:
            assert time.monotonic() < deadline, self.log()
            self._pause(self._process)
        # The line is logged before the file is read; a connection accepted later is served later.
        self._wait_ready(self._process)

    def _user_lines(self, users: Mapping[str, str]) -> list[str]:
        path = self.directory / f"mosquitto-{self.port}.passwd"
        path.write_text("".join(f"{name}:{word}\n" for name, word in users.items()))
        path.chmod(0o600)
        subprocess.run(["mosquitto_passwd", "-U", str(path)], check=True, capture_output=True)
        return [f"password_file {path}"]

    @staticmethod
    def _tls_lines(certificates: Certificates, *, ask_client: bool) -> list[str]:
        return [
            f"cafile {certificates.ca}",
            f"certfile {certificates.server_cert}",
            f"keyfile {certificates.server_key}",
            f"require_certificate {'true' if ask_client else 'false'}",
        ]


class IotCore(Broker):
    """The embedded broker (rumqttd in a wheel), one listener."""

    def __init__(self, directory: Path, *, version: str = "5") -> None:
        super().__init__(directory)
        self._config = directory / f"iotcore-{self.port}.toml"
        self._config.write_text(config_text({"v5" if version == "5" else "v4": self.port}))

    def command(self) -> Sequence[str]:
        options = ["--config", str(self._config), "--log-level", "CRITICAL"]
        return [sys.executable, "-m", "iotcore", *options]
