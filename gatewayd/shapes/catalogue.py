"""Everything that leaves: every kind of record, every topic of the board, each with its shape."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from gatewayd.shapes import board, people, records

VERSION: Final = "v1"
RECORDS: Final[Mapping[str, Any]] = {
    "fill": records.Fill,
    "refusal": records.Refusal,
    "alarm": records.Alarm,
    "session": people.Session,
    "check": people.Check,
    "batch": people.Batch,
    "acknowledgement": people.Acknowledgement,
    "hold": records.Hold,
    "lock": records.Lock,
    "command": records.Command,
    "clock": records.Clock,
    "movement": records.Scan,
    "reconciliation": records.Reconciliation,
    "witness": records.Witness,
    "issue": records.Scan,
    "inspection": records.Scan,
    "repair": records.Scan,
}
"""`data` by kind of record."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic of the board below `{prefix}/{station}`; `{names}` in its address vary.

    One that is not retained passes by at QoS 0.
    """

    name: str
    address: str
    shape: Any
    retained: bool = True


TOPICS: Final = (
    Topic("status", "status", board.Status),
    Topic("info", "info", board.Info),
    Topic("config", "config", board.Config),
    Topic("clock", "clock", board.ClockShown),
    Topic("device-status", "devices/{device}/status", board.DeviceStatus),
    Topic("rig-state", "rigs/{rig}/state", board.RigState),
    Topic("rig-weight", "rigs/{rig}/weight", board.Weight, retained=False),
    Topic("rig-shift", "rigs/{rig}/shift", records.Reconciliation),
    Topic("witness-shift", "witnesses/{device}/shift", records.Witness),
    Topic("point-state", "points/{point}/state", board.PointState),
    Topic("alarm", "alarms/{alarm}", board.AlarmShown),
    Topic("upstream-status", "upstreams/{upstream}/status", board.UpstreamStatus),
    Topic("web-status", "web/status", board.WebStatus),
)


def record_id(kind: str) -> str:
    """The id of a record's schema: its CloudEvents `type`."""
    return f"gatewayd.{kind}.{VERSION}"


def topic_id(topic: Topic) -> str:
    """The id of a topic's schema."""
    return f"gatewayd.board.{topic.name}.{VERSION}"


def command_ids(command: str) -> tuple[str, str]:
    """The ids of a command's schemas: request and reply."""
    ids = [f"gatewayd.cmd.{command}.{what}.{VERSION}" for what in ("request", "reply")]
    return ids[0], ids[1]


def topic_of(path: str) -> Topic | None:
    """The topic that a path below `{prefix}/{station}` belongs to."""
    parts = path.split("/")
    for topic in TOPICS:
        wanted = topic.address.split("/")
        pairs = zip(parts, wanted, strict=False)
        if len(parts) == len(wanted) and all(w in (p, "{" + w[1:-1] + "}") for p, w in pairs):
            return topic
    return None
