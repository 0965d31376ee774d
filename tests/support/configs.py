"""Config directories made small: a valid station, changed one file at a time."""

from collections.abc import Mapping
from pathlib import Path

GATEWAY = """\
station: {id: "3701000042", media: [LPG]}
store: {path: gatewayd.db}
upstreams:
  platform: {driver: mqtt, url: "mqtt://127.0.0.1:1883", prefix: gatewayd/v1}
"""
DEVICES = """\
devices:
  gun-1: {driver: rfid.uhfreader, link: {tcp: "192.168.1.30:6000"}}
  gun-2: {driver: rfid.uhfreader, link: {tcp: "192.168.1.31:6000"}}
  qr-1: {driver: barcode.tcp, link: {tcp: "192.168.1.32:6000"}}
  scale-1: {driver: plc.modbus, link: {tcp: "192.168.1.40:502"}, unit: 1, profile: reference-gate-v1}
  scale-2: {driver: plc.modbus, link: {tcp: "192.168.1.40:502"}, unit: 2, profile: reference-gate-v1}
"""
RIGS = """\
rigs:
  rig-1:
    medium: LPG
    identify: [{device: gun-1, antenna: 1}, {device: qr-1}]
    scale: scale-1
    gate: scale-1
    rules: [cn-lpg]
  rig-2:
    medium: LPG
    identify: [{device: gun-2}]
    scale: scale-2
    gate: scale-2
    rules: [cn-lpg]
"""
VALID: Mapping[str, str] = {
    "gateway.yaml": GATEWAY,
    "devices/all.yaml": DEVICES,
    "rigs/all.yaml": RIGS,
}


def write_config(directory: Path, changes: Mapping[str, str | bytes | None] | None = None) -> Path:
    """Write the valid station with `changes` by path; None leaves a file out."""
    for name, text in {**VALID, **(changes or {})}.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text is not None:
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return directory
