"""The configuration of one history: real files, read as the daemon reads them, changed while it works."""

import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from gatewayd.reload.reading import Taken, last_good_packs, signature, take
from gatewayd.settings.load import Examined, examine
from gatewayd.settings.model import RigSettings

STATION = "3701000042"
QUOTA_MB = 64
GATEWAY_FILE, PACK_FILE = "gateway.yaml", "rules/cn-lpg.yaml"
GATEWAY = f"""\
station: {{id: "{STATION}", name: 模拟充装站, region: "370100", timezone: Asia/Shanghai, media: [LPG]}}
store: {{path: gatewayd.db, quota_mb: {QUOTA_MB}, ballast_mb: 0}}
"""
DEVICES = {
    "rig-1": """\
devices:
  gun-1: {driver: rfid.uhfreader, link: {tcp: "127.0.0.1:6001"}, poll_ms: 150}
  qr-1: {driver: barcode.tcp, link: {tcp: "127.0.0.1:9001"}}
  plc-1: {driver: plc.modbus, link: {tcp: "127.0.0.1:5021"}, unit: 1, profile: reference-gate-v1, poll_ms: 100}
""",
    "rig-2": """\
devices:
  gun-2: {driver: rfid.uhfreader, link: {tcp: "127.0.0.1:6002"}, poll_ms: 150}
  qr-2: {driver: barcode.tcp, link: {tcp: "127.0.0.1:9002"}}
  plc-2: {driver: plc.modbus, link: {serial: /dev/sim/plc-2, baud: 19200}, unit: 1, profile: reference-gate-v1, poll_ms: 100}
""",
}
RIGS = {
    "rig-1": """\
rigs:
  rig-1:
    medium: LPG
    identify: [{device: gun-1, antenna: 1}, {device: qr-1}]
    scale: plc-1
    gate: plc-1
    rules: [cn-lpg]
    identify_within_s: 5
    stable_within_s: 5
    settle_within_s: 8
    permit: {start_within_s: 8, lease_ms: 2000}
""",
    "rig-2": """\
rigs:
  rig-2:
    medium: LPG
    identify: [{device: gun-2, antenna: 1}, {device: qr-2, require: true}]
    scale: plc-2
    gate: plc-2
    rules: [cn-lpg]
    identify_within_s: 5
    stable_within_s: 5
    settle_within_s: 8
    on_second_tag: hold
    on_tag_lost: lock
    permit: {start_within_s: 8, lease_ms: 1000}
""",
}
_PACK = """\
id: cn-lpg
extends: cn-lpg
version: "{version}"
title: {{zh: 现场, en: site}}
basis: the site
"""
TEXTS_KEPT_MAX = 32
"""Readings that are remembered, about 5 MB each: nothing takes as long in a history as YAML does, and
the good files are read again and again, most broken ones once."""
CLOSED = "closed"
"""The version of the pack that denies everything."""
TIGHTER = f"""{_PACK.format(version="tighter")}
parameters:
  tare_warn_small_g: {{value: 250, unit: g, source: our scales, verified: true}}
"""
DENIES = f"""{_PACK.format(version=CLOSED)}
rules:
  - id: closed
    code: NOT_ENABLED
    stage: permit
    when: station.id != ''
    message: {{zh: 今日停充, en: closed today}}
    basis: {{document: the site}}
    verified: true
    examples: [{{facts: {{station.id: '1'}}, expect: deny}}]
"""


def files(rigs: Iterable[str]) -> dict[str, str]:
    """The good files of a station with these rigs, by path."""
    found = {GATEWAY_FILE: GATEWAY}
    for rig in rigs:
        found |= {f"devices/{rig}.yaml": DEVICES[rig], f"rigs/{rig}.yaml": RIGS[rig]}
    return found


@lru_cache(maxsize=TEXTS_KEPT_MAX)
def _read(texts: tuple[tuple[str, str], ...]) -> Examined:
    with tempfile.TemporaryDirectory(prefix="gatewayd-config-") as name:
        for file, text in texts:
            path = Path(name) / file
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return examine(Path(name))


@dataclass(slots=True)
class Config:
    """A folder of files. `ever` are the settings that each rig had at any time in this history."""

    folder: Path
    good: Mapping[str, str]
    stamp_ns: Callable[[], int]
    ever: dict[str, list[RigSettings]] = field(default_factory=dict)
    _now: dict[str, str] = field(default_factory=dict)
    _writes: int = 0

    def __post_init__(self) -> None:
        """Write the good files."""
        self.heal()

    def text(self, name: str) -> str:
        """A file as it is; empty when it is not there."""
        return self._now.get(name, "")

    def put(self, name: str, text: str) -> None:
        """Write a file whole, as an editor does; an empty text takes it away."""
        path = self.folder / name
        if not text:
            path.unlink(missing_ok=True)
            self._now.pop(name, None)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.part")
        part.write_text(text, encoding="utf-8")
        self._writes += 1
        os.utime(part, ns=(0, self.stamp_ns() + self._writes))
        part.rename(path)
        self._now[name] = text

    def heal(self) -> None:
        """Every file is as it was at the beginning."""
        for name in self._now.keys() - self.good.keys():
            self.put(name, "")
        for name, text in self.good.items():
            if self.text(name) != text:
                self.put(name, text)

    def take(self, *, starting: Path | None = None) -> Taken:
        """Read the files as the daemon does, or as `gatewayd run` does, `starting` on that store."""
        taken = Taken(self._examined(), signature(self.folder))
        settings = taken.examined.settings
        if settings is None and starting is not None:
            taken = take(self.folder, last_good=lambda _path: last_good_packs(starting))
            settings = taken.examined.settings
        for name, rig in settings.rigs.items() if settings is not None else ():
            known = self.ever.setdefault(name, [])
            if rig not in known:
                known.append(rig)
        return taken

    def _examined(self) -> Examined:
        """The same texts say the same; only where they stand is another folder."""
        found = _read(tuple(sorted(self._now.items())))
        if found.settings is None:
            return found
        return replace(found, settings=replace(found.settings, directory=self.folder))

    def lease_ms(self, rig: str) -> int:
        """The longest lease that the rig ever had."""
        return max(one.permit.lease_ms for one in self.ever[rig])

    def required(self, rig: str) -> set[str]:
        """The devices that the rig required at all times."""
        sets = [{each.device for each in one.identify if each.require} for one in self.ever[rig]]
        return set.intersection(*sets)
