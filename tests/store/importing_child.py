"""A process that imports whole generations one after the other and says which are done."""

import sys
from pathlib import Path

from gatewayd.clock import SystemClock
from gatewayd.store.beside import ImportOptions, import_staged
from gatewayd.store.model import Cylinder
from gatewayd.store.staging import Staging
from tests.support.stores import STATION

COUNT = 400
"""Cylinders of a generation."""


def generation(number: int) -> list[Cylinder]:
    """Every generation shares half of its codes and tags with the next."""
    start = number * COUNT // 2
    return [
        Cylinder(f"{n:06}", tag_uids=(f"{n:08X}", f"AA{number:04X}{n:06X}"), maker=str(number))
        for n in range(start, start + COUNT)
    ]


def _main(path: Path, first: int) -> None:
    for number in range(first, 1_000):
        sys.stdout.write(f"began {number}\n")
        sys.stdout.flush()
        with Staging.open(path) as staging:
            staging.add_cylinders(generation(number))
            staging.seal()
            options = ImportOptions(
                STATION, replace=True, direct_max=0 if number % 4 else COUNT * 2
            )
            import_staged(staging, options, clock=SystemClock())
        sys.stdout.write(f"done {number}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _main(Path(sys.argv[1]), int(sys.argv[2]))
