"""Everything that goes wrong at a wire is named by a probe in plain words, and nothing is guessed."""

from collections.abc import Mapping
from typing import Any

import pytest

from drivers.contract import DriverType, TagRead
from drivers.rfid.r2000 import DRIVER as R2000
from drivers.rfid.uhfreader import DRIVER as UHFREADER
from drivers.suite import on_tcp
from gatewayd.clock import SystemClock
from gatewayd.commission.probe import Seen, read
from protocols.readers.uhfreader import Tag
from tests.support.bad_input import BAD, EPCS, HF_UID, R2000_EPC, TAGS, Bad
from tests.support.devices.r2000 import ScriptedR2000
from tests.support.readers import ScriptedReader

READ_S = 2.0


async def probed(
    driver: DriverType,
    device: Any,
    settings: Mapping[str, Any] | None = None,
    read_s: float = READ_S,
) -> Seen:
    seen = Seen()
    async with on_tcp(device.plugged) as link:
        made = driver.make(
            "gun-1", driver.settings.model_validate({"link": link} | dict(settings or {})), {}
        )
        await read(made, seen, SystemClock(), read_s=read_s, trigger=False)
    seen.diagnose(driver.formats[0], None)
    return seen


@pytest.mark.parametrize("bad", BAD, ids=str)
async def test_a_probe_names_what_is_wrong(bad: Bad) -> None:
    seen = await probed(bad.driver, bad.device(), bad.settings)
    kind = bad.kind
    assert kind in seen.troubles, (seen.error, seen.up, list(seen.troubles), list(seen.noise)[:3])
    trouble = seen.troubles[kind]
    assert trouble.zh
    assert trouble.en
    assert seen.state == ("unreachable" if kind == "silent" else "wrong")
    read_as = {each.uid for each in seen.readings if isinstance(each, TagRead)}
    heads = {uid[:-2] for uid in (*EPCS, R2000_EPC, HF_UID[::-1].hex().upper())}
    assert {uid[:-2] for uid in read_as} <= heads, "nothing is guessed into an identity"


async def test_a_healthy_reader_has_no_troubles() -> None:
    for driver, device in (
        (R2000, ScriptedR2000(tags=TAGS[:1])),
        (UHFREADER, ScriptedReader(tags=[Tag(TAGS[0], 60)])),
    ):
        seen = await probed(driver, device, read_s=0.3)
        assert (seen.state, seen.troubles) == ("answered", {})
