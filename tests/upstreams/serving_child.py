"""A process of its own that serves one upstream until SIGTERM: `serving_child.py DIR URL`."""

import asyncio
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.support.outpost import Outpost, running


async def main(directory: Path, url: str) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with Outpost(directory) as outpost, running(outpost.upstream(url)):
        await stop.wait()


asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
