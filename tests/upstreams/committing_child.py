"""A process that serves one upstream and commits records until it is killed.

`committing_child.py DIR KIND SETTINGS MAPPING`, the settings as JSON, the kind by its entry point,
the text of a mapping or nothing.
"""

import asyncio
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from gatewayd.settings.upstreams import upstream_table
from tests.support.outpost import Outpost, running

EVERY_S = 0.002


async def main(directory: Path, kind: str, settings: str, mapping: str) -> None:
    async with Outpost(directory) as outpost:
        made = upstream_table().get(kind)
        upstream = outpost.upstream_of(made, mapping=mapping, **json.loads(settings))
        async with running(upstream):
            while True:
                await outpost.commit(1)
                await asyncio.sleep(EVERY_S)


asyncio.run(main(Path(sys.argv[1]), *sys.argv[2:]))
