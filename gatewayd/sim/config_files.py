"""The configuration directory for a simulated station, as a technician would have written it."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML

from gatewayd.sim.rig import SimRig
from gatewayd.sim.wires import PtyWire, TcpWire

if TYPE_CHECKING:
    from gatewayd.sim.station import SimStation

READER_BAUD = 57_600
SCANNER_BAUD = 9_600
PLC_BAUD = 19_200
POLL_MS = 100


def write_config_files(station: "SimStation", directory: Path, broker_url: str | None) -> None:
    """Write gateway.yaml and one file a rig under devices/ and rigs/."""
    for folder in ("devices", "rigs"):
        (directory / folder).mkdir(parents=True, exist_ok=True)
    _write(directory / "gateway.yaml", _gateway(station, broker_url))
    for rig in station.rigs:
        _write(directory / "devices" / f"{rig.name}.yaml", {"devices": _devices(rig)})
        _write(directory / "rigs" / f"{rig.name}.yaml", {"rigs": {rig.name: _rig(station, rig)}})


def _gateway(station: "SimStation", broker_url: str | None) -> dict[str, Any]:
    spec = station.spec
    gateway: dict[str, Any] = {
        "station": {
            "id": spec.station_id,
            "name": spec.name,
            "region": spec.region,
            "timezone": "Asia/Shanghai",
            "media": ["LPG"],
        },
        "store": {"path": "gatewayd.db"},
        "shifts": {"starts": []},
    }
    if broker_url is not None:
        platform = {"driver": "mqtt", "url": broker_url, "prefix": "gatewayd/v1"}
        gateway["upstreams"] = {"platform": platform}
    return gateway


def _devices(rig: SimRig) -> dict[str, Any]:
    devices: dict[str, Any] = {
        f"{rig.name}-gun": {
            "driver": "rfid.uhfreader",
            "link": _link(rig.reader_wire, READER_BAUD),
            "address": rig.reader.address,
            "dialect": "auto",
        },
        f"{rig.name}-plc": {
            "driver": "plc.modbus",
            "link": _link(rig.plc_wire, PLC_BAUD),
            "unit": rig.plc.slave.unit,
            "profile": "reference-gate-v1",
            "poll_ms": POLL_MS,
        },
    }
    if rig.scanner_wire is not None:
        link = _link(rig.scanner_wire, SCANNER_BAUD)
        devices[f"{rig.name}-qr"] = {"driver": "barcode.serial", "link": link}
    return devices


def _rig(station: "SimStation", rig: SimRig) -> dict[str, Any]:
    identify: list[dict[str, Any]] = [{"device": f"{rig.name}-gun", "antenna": 1}]
    if rig.scanner_wire is not None:
        identify.append({"device": f"{rig.name}-qr"})
    return {
        "medium": "LPG",
        "identify": identify,
        "scale": f"{rig.name}-plc",
        "gate": f"{rig.name}-plc",
        "rules": ["cn-lpg"],
        "permit": {
            "start_within_s": station.spec.start_within_s,
            "lease_ms": station.spec.lease_ms,
        },
    }


def _link(wire: TcpWire | PtyWire, baud: int) -> dict[str, Any]:
    if isinstance(wire, TcpWire):
        return {"tcp": wire.address}
    return {"serial": wire.address, "baud": baud}


def _write(path: Path, content: Mapping[str, Any]) -> None:
    yaml = YAML()
    with path.open("w", encoding="utf-8") as file:
        yaml.dump(dict(content), file)
