"""The real command in a thread with a loop of its own, while scripted devices answer in this one."""

import asyncio
import json
from typing import Any

from click.testing import CliRunner

from gatewayd.cli.root import main


async def gatewayd(*arguments: str, typed: str = "") -> tuple[int, str, str]:
    """Run a command to its end: exit code, stdout, stderr."""
    result = await asyncio.to_thread(CliRunner().invoke, main, list(arguments), input=typed)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


async def answer(*arguments: str) -> tuple[int, dict[str, Any]]:
    """Exit code and the object of a command that is asked for JSON."""
    code, out, err = await gatewayd(*arguments, "--json")
    assert out, err
    found: dict[str, Any] = json.loads(out)
    return code, found
