"""Archive files read as an import reads them, without a store to import into."""

import io
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gatewayd.archive import table
from gatewayd.archive.sheet import sheet
from gatewayd.store import rows
from gatewayd.store.model import Cylinder
from gatewayd.store.staging import Staging


@dataclass(frozen=True, slots=True)
class Read:
    """What a file says: its columns, and its cylinders in file order."""

    columns: tuple[str, ...]
    cylinders: tuple[Cylinder, ...]


def read(
    data: bytes,
    origin: str = "a.csv",
    *,
    whole: bool = False,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Read:
    """Stage a file and look at what is staged; raises RejectedError as an import does."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Staging.open(Path(folder) / "gatewayd.db") as staging,
    ):
        table.stage(sheet(io.BytesIO(data), origin), staging, whole=whole, progress=progress)
        names = ", ".join(
            "coalesce(tag_uids, '')" if name == "tag_uids" else name
            for name in rows.CYLINDER_COLUMNS
        )
        found = staging._connection.execute(f'SELECT {names} FROM incoming ORDER BY "row"')  # noqa: S608 - our names
        return Read(staging.columns, tuple(rows.cylinder(row) for row in found))
