"""A process that commits in a loop and says on stdout what was acknowledged; tests kill it."""

import asyncio
import sys
from pathlib import Path

from tests.support.stores import draft, open_store, permit


async def _worker(folder: Path) -> None:
    store = open_store(folder)

    def say(text: str) -> None:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    async def fills(rig_id: str) -> None:
        while True:
            right = permit(rig_id, store.last_permit_no(rig_id) % 65_535 + 1)
            await store.issue(right)
            say(f"permit {right.id}")
            record = await store.resolve(right.id, "posted", draft(record_id=right.record_id))
            say(f"record {record.sequence} {record.id}")

    async def upstream() -> None:
        while True:
            through = store.cursor("platform")
            await store.wait_for(through)
            records = store.records(after_sequence=through, limit=3)
            await store.acknowledge("platform", records[-1].sequence)
            say(f"cursor {records[-1].sequence}")

    async with asyncio.TaskGroup() as group:
        for n in range(4):
            group.create_task(fills(f"rig-{n}"))
        group.create_task(upstream())


if __name__ == "__main__":
    asyncio.run(_worker(Path(sys.argv[1])))
