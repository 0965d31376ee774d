"""The embedded broker of the demo: iotcore on loopback, one MQTT 5 and one MQTT 3.1.1 listener."""

import socket
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Literal, Self, TypeAlias

import iotcore

Version: TypeAlias = Literal["v5", "v4"]
"""MQTT 5, or 3.1.1 as iotcore calls it."""

LISTENER = """
[{table}.1]
name = "{table}-1"
listen = "127.0.0.1:{port}"
next_connection_delay_ms = 1
[{table}.1.connections]
connection_timeout_ms = 60000
max_payload_size = 1048576
max_inflight_count = 100
dynamic_filters = true
"""
ROUTER = """
id = 0
[router]
id = 0
max_connections = 100
max_outgoing_packet_count = 200
max_segment_size = 104857600
max_segment_count = 10
"""


def free_port() -> int:
    """A port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def config_text(listeners: Mapping[Version, int]) -> str:
    """The broker's TOML file: a port for each MQTT version, on loopback.

    Needed because the plain `iotcore.Broker(port=...)` never answers an MQTT 5 CONNECT.
    """
    parts = [LISTENER.format(table=table, port=port) for table, port in listeners.items()]
    return ROUTER + "".join(parts)


class EmbeddedBroker:
    """A broker as a child process, which ends with this one. A context manager."""

    def __init__(self) -> None:
        self.port = free_port()
        self.port_311 = free_port()
        self._folder = tempfile.TemporaryDirectory(prefix="gatewayd-broker-")
        config = Path(self._folder.name) / "broker.toml"
        config.write_text(config_text({"v5": self.port, "v4": self.port_311}))
        self._broker = iotcore.Broker(config_path=str(config))

    @property
    def url(self) -> str:
        """For `upstreams:` and for anyone who wants to watch with MQTT 5."""
        return f"mqtt://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._broker.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._broker.stop()
        self._folder.cleanup()
