"""The demo's independent subscriber: sees only what any platform would see, and checks it.

It shares no code with the daemon but the topic names: it counts records by id, looks at their
sequence numbers and recomputes every hash of the chain.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import aiomqtt
import rfc8785

GENESIS = "0" * 64


@dataclass(slots=True)
class Audience:
    """What arrived so far. `on_refused` is called with a rig's name when it shows `refused`."""

    url: str
    root: str
    on_refused: Callable[[str], None] = lambda _rig: None
    on_record: Callable[[dict[str, Any]], None] = lambda _record: None
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    copies: int = 0
    rigs: dict[str, dict[str, Any]] = field(default_factory=dict)
    weights: dict[str, dict[str, Any]] = field(default_factory=dict)
    devices: dict[str, str] = field(default_factory=dict)
    status: str = ""

    async def listen(self, ready: Callable[[], None]) -> None:
        """Subscribe, call `ready`, and take everything until cancelled."""
        parts = urlsplit(self.url)
        async with aiomqtt.Client(
            parts.hostname or "127.0.0.1",
            parts.port or 1883,
            username=parts.username,
            password=parts.password,
            protocol=aiomqtt.ProtocolVersion.V5,
        ) as client:
            await client.subscribe(f"{self.root}/#", qos=1)
            ready()
            async for message in client.messages:
                # What an earlier run left retained on a borrowed broker is not ours to count.
                if not message.retain and message.payload:
                    topic = str(message.topic).removeprefix(f"{self.root}/")
                    self._take(topic, message.payload)

    def _take(self, topic: str, payload: bytes) -> None:
        body = json.loads(payload)
        match topic.split("/"):
            case ["records", _]:
                self._record(body)
            case ["rigs", rig, "state"]:
                self.rigs[rig] = body
                if body["state"] == "refused":
                    self.on_refused(rig)
            case ["rigs", rig, "weight"]:
                self.weights[rig] = body
            case ["devices", device, "status"]:
                self.devices[device] = body["state"]
            case ["status"]:
                self.status = body["state"]

    def _record(self, body: dict[str, Any]) -> None:
        if body["id"] in self.records:
            self.copies += 1
            return
        self.records[body["id"]] = body
        self.on_record(body)

    # What it all adds up to.

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        """The `data` of every record of a kind, in order of sequence."""
        found = [r for r in self.records.values() if r["type"] == f"gatewayd.{kind}.v1"]
        return [record["data"] for record in sorted(found, key=lambda r: int(r["sequence"]))]

    def reasons(self) -> dict[str, int]:
        """How often each reason code refused a cylinder."""
        counted: Counter[str] = Counter()
        for data in self.of_kind("refusal"):
            codes = {f["code"] for f in data["verdict"]["findings"] if f["severity"] == "deny"}
            counted.update(codes)
        return dict(sorted(counted.items()))

    def gap_free(self) -> bool:
        """Whether the sequence numbers are 1..n and the hash chain holds from the first record."""
        ordered = sorted(self.records.values(), key=lambda r: int(r["sequence"]))
        previous = GENESIS
        for expected, record in enumerate(ordered, start=1):
            if record["sequence"] != expected or record["prevhash"] != previous:
                return False
            sealed = {k: v for k, v in record.items() if k not in ("hash", "signature")}
            previous = record["hash"]
            if hashlib.sha256(rfc8785.dumps(sealed)).hexdigest() != previous:
                return False
        return True
