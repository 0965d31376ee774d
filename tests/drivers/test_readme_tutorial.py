"""The driver of drivers/README.md is run as it is printed there."""

import re
import types
from pathlib import Path
from typing import Any

from tests.drivers.test_barcode_line import ScriptedScanner
from tests.support.readers import on_tcp, running

README = Path(__file__).parents[2] / "drivers/README.md"


def tutorial() -> Any:
    code = re.search(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    assert code
    module = types.ModuleType("tutorial")
    exec(compile(code[1], str(README), "exec"), module.__dict__)  # noqa: S102 - our own document
    return module


async def test_the_driver_of_the_tutorial_works_as_printed() -> None:
    kind = tutorial().DRIVER
    head = ScriptedScanner()
    async with on_tcp(head.plugged) as link:
        driver = kind.make("line-1", kind.settings.model_validate({"link": link}), {})
        async with running(driver) as bench:
            await bench.until(lambda: bench.ups)
            head.send(b"one\r\n\xff\xff\r\ntwo\r\n")
            await bench.until(lambda: len(bench.texts) == 2)
            await bench.until(lambda: bench.error)
    assert bench.texts == ["one", "two"]
    assert len(bench.noise) == 1
    assert "silent for 2.0 s" in str(bench.error)
