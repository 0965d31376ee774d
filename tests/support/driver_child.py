"""Run one driver in a process of its own, for test beds that replace the devices of a process.

    python -m tests.support.driver_child '{"driver": "drivers.barcode.hid_pos:DRIVER", ...}'

Settings are the driver's; it runs until `reads` codes came, then until `error` when that is wanted.
Prints one JSON object: codes, ups, noise, frames, error.
"""

import asyncio
import json
import sys
from importlib import import_module
from typing import Any

from drivers.contract import CodeRead, DriverType
from drivers.suite import Bench, running

WITHIN_S = 100.0
"""Ends a wait that would hang; there are two at most before `umockdev.run` ends the process."""


async def serve(order: dict[str, Any]) -> dict[str, Any]:
    module, _, name = order["driver"].partition(":")
    kind = getattr(import_module(module), name)
    assert isinstance(kind, DriverType), kind
    driver = kind.make("device-1", kind.settings.model_validate(order["settings"]), {})
    async with running(driver) as bench:
        await bench.until(lambda: bench.error or len(bench.readings) >= order["reads"], WITHIN_S)
        if order.get("error"):
            await bench.until(lambda: bench.error, WITHIN_S)
    return said(bench)


def said(bench: Bench) -> dict[str, Any]:
    codes = [each for each in bench.readings if isinstance(each, CodeRead)]
    return {
        "codes": [[code.text, code.symbology] for code in codes],
        "ups": bench.ups,
        "noise": [[reason, raw.hex()] for reason, raw in bench.noise],
        "frames": [[direction, raw.hex()] for direction, raw in bench.frames],
        "error": str(bench.error or ""),
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(serve(json.loads(sys.argv[1])))) + "\n")
