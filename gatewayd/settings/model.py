"""The settings of contract §3 as frozen models. Units are in the names; nothing is clamped.

Every limit that a technician may set has its range here; outside it is a config error.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from drivers.contract import DriverType, Strict
from gatewayd.settings.checks import FormSettings
from gatewayd.settings.offline import ArchiveSettings
from gatewayd.settings.people import (
    BatchSettings,
    OperatorSettings,
    PostcheckSettings,
    PrecheckSettings,
)
from gatewayd.settings.points import PointSettings
from gatewayd.settings.upkeep import ShiftsSettings, WatchdogSettings
from gatewayd.settings.vouchers import VoucherSettings
from gatewayd.settings.web import WebSettings
from protocols.tags.layout import Layout
from rules_engine.facts import MEDIA
from rules_engine.pack import Pack

NAME = r"^[a-z0-9][a-z0-9_.-]{0,63}$"
Name = Annotated[str, Field(pattern=NAME)]


def _known_medium(medium: str) -> str:
    if medium not in MEDIA:
        raise ValueError(f"unknown medium; one of {', '.join(sorted(MEDIA))}")
    return medium


class StationSettings(Strict):
    """The licensed site. `id` and `associated_owners` are what a cylinder's `owner` may be.

    `travel_s`: no cylinder gets from one rig or point to another sooner than this; 0 = only at once
    is too soon. `unseen_s`: where nobody saw it leave, it may still stand for so long.
    """

    id: str = Field(min_length=1, max_length=64, pattern=r"^[^/+#\s]+$")
    name: str = ""
    region: str | None = Field(default=None, pattern=r"^[0-9]{6}$")
    timezone: str = "Asia/Shanghai"
    media: tuple[str, ...] = ()
    associated_owners: tuple[str, ...] = ()
    travel_s: int = Field(default=0, ge=0, le=86_400)
    unseen_s: int = Field(default=60, ge=0, le=86_400)

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError) as exc:
            raise ValueError("unknown time zone; expected a name such as Asia/Shanghai") from exc
        return value

    @field_validator("media")
    @classmethod
    def _media(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_known_medium(medium) for medium in value)


class StoreSettings(Strict):
    """The one file that must survive. A relative `path` starts at the config directory.

    `on_corrupt`: a damaged store is put aside and a fresh one takes over what is sound, or nothing
    starts until a person has decided. `ballast_mb`: room on the disk that is kept for ending what
    has begun when the disk is full; 0: none.
    """

    path: str = Field(default="gatewayd.db", min_length=1)
    on_corrupt: Literal["quarantine", "stop"] = "quarantine"
    quota_mb: int = Field(default=2048, ge=16, le=1_000_000)
    ballast_mb: int = Field(default=16, ge=0, le=1_024)
    keep_days: int = Field(default=1095, ge=365, le=36_500)


class ClockSettings(Strict):
    """When the clock of this machine is believed; a time that is certainly over never is.

    `require_ntp`: only while a time server keeps it. Off, because many stations have no network:
    there nobody contradicts a clock that goes on from its last record. `jump_s_max`: the clock may
    be set by so much while the daemon runs, and lag so far behind the last record.
    """

    require_ntp: bool = False
    jump_s_max: int = Field(default=120, ge=5, le=3_600)


class PermitSettings(Strict):
    """How long a permit waits for a start, and how long the gate lives without us."""

    start_within_s: int = Field(default=120, ge=1, le=3600)
    lease_ms: int = Field(default=2000, ge=300, le=60_000)


class IdentifySettings(Strict):
    """One device that says which cylinder stands here.

    `antenna` None = any. `require` None = the first device of the rig alone must speak.
    """

    device: Name
    antenna: int | None = Field(default=None, ge=1, le=64)
    require: bool | None = None


class AcceptedSettings(Strict):
    """A danger that a person has accepted, in writing."""

    reason: str = Field(min_length=4, max_length=500)


class RigSettings(Strict):
    """One filling position (contract §3, §5, §10).

    From `start` to `accept_no_watchdog` for gates made of several devices only; None = the default
    of such a gate. `operator`, `precheck`, `postcheck`, `batch`, `voucher`:
    None = the rig does not ask.
    """

    medium: str
    identify: tuple[IdentifySettings, ...] = Field(min_length=1, max_length=8)
    scale: Name
    gate: Name
    rules: tuple[Name, ...] = Field(min_length=1)
    permit: PermitSettings = PermitSettings()
    nominal_g: int | None = Field(default=None, ge=1, le=1_000_000)
    fill_pressure_kpa: int | None = Field(default=None, ge=1, le=200_000)
    tolerance_g: int = Field(default=200, ge=1, le=10_000)
    weighing_error_g: int = Field(default=50, ge=0, le=500)
    on_second_tag: Literal["lock", "hold"] = "lock"
    on_duplicate: Literal["lock", "hold"] = "lock"
    on_tag_lost: Literal["lock", "hold"] = "hold"
    tag_lost_after_s: int = Field(default=5, ge=1, le=600)
    scan_valid_s: int = Field(default=30, ge=1, le=600)
    identify_within_s: int = Field(default=20, ge=1, le=600)
    stable_within_s: int = Field(default=15, ge=1, le=600)
    settle_within_s: int = Field(default=15, ge=1, le=600)
    stale_after_ms: int = Field(default=1000, ge=100, le=60_000)
    dead_band_g: int = Field(default=0, ge=0, le=10_000)
    start: Literal["input", "permit"] | None = None
    cylinder_on_g: int | None = Field(default=None, ge=100, le=100_000)
    preact_g: int | None = Field(default=None, ge=0, le=5_000)
    no_flow_s: int | None = Field(default=None, ge=1, le=60)
    fill_s_max: int | None = Field(default=None, ge=10, le=7_200)
    accept_no_watchdog: AcceptedSettings | None = None
    operator: OperatorSettings | None = None
    precheck: PrecheckSettings | None = None
    postcheck: PostcheckSettings | None = None
    batch: BatchSettings | None = None
    voucher: VoucherSettings | None = None

    @field_validator("medium")
    @classmethod
    def _medium(cls, value: str) -> str:
        return _known_medium(value)

    @field_validator("identify")
    @classmethod
    def _someone_must_speak(
        cls, value: tuple[IdentifySettings, ...]
    ) -> tuple[IdentifySettings, ...]:
        """Resolve `require`: by default the first device alone; nobody required is refused."""
        resolved = tuple(
            item.model_copy(update={"require": index == 0}) if item.require is None else item
            for index, item in enumerate(value)
        )
        if not any(item.require for item in resolved):
            raise ValueError("at least one device must have require: true")
        return resolved


class LogSettings(Strict):
    """`console` for a person, `json` for a machine; operator texts in `language`."""

    format: Literal["console", "json"] = "console"
    level: Literal["debug", "info", "warning", "error"] = "info"
    language: Literal["zh", "en"] = "zh"


class ReloadSettings(Strict):
    """When a file that changed is taken up; off: only when told, `systemctl reload gatewayd`."""

    watch: bool = True


@dataclass(frozen=True, slots=True)
class DeviceSettings:
    """One device: the driver type it names and that driver's own validated settings."""

    name: str
    driver: DriverType
    settings: Strict


@dataclass(frozen=True, slots=True)
class UpstreamSettings:
    """One upstream: the name of its kind and that kind's own validated settings."""

    name: str
    driver: str
    settings: Strict


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole configuration, checked: every reference exists, no wire or gate is shared wrongly.

    `packs` are the rule packs by id that rigs name, `profiles` the register maps by id,
    `checks` every check form by name.
    `store_path` is absolute. `web` None = there is no page.
    """

    directory: Path
    station: StationSettings
    store: StoreSettings
    store_path: Path
    archive: ArchiveSettings
    clock: ClockSettings
    log: LogSettings
    reload: ReloadSettings
    devices: Mapping[str, DeviceSettings]
    rigs: Mapping[str, RigSettings]
    upstreams: Mapping[str, UpstreamSettings]
    packs: Mapping[str, Pack]
    profiles: Mapping[str, Any]
    checks: Mapping[str, FormSettings] = field(default_factory=dict)
    watchdog: WatchdogSettings = field(default_factory=WatchdogSettings)
    shifts: ShiftsSettings = field(default_factory=ShiftsSettings)
    points: Mapping[str, PointSettings] = field(default_factory=dict)
    layouts: Mapping[str, Layout] = field(default_factory=dict)
    web: WebSettings | None = None
