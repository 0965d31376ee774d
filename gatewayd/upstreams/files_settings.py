"""What a technician writes under `upstreams:` for `driver: files`."""

from typing import Literal

from pydantic import Field

from gatewayd.mapping.manners import CELLS, LINES, Manner
from gatewayd.settings.mapped import MappedSettings

FILE_MB_MAX = 256


class FilesSettings(MappedSettings):
    """A folder that takes records as files: a USB stick, a share, a disk.

    * `directory`: must exist, is never made: a folder on a stick that is pulled is gone.
    * `format`: `jsonl`, one record a line; `csv`, the main values and the whole record, for Excel.
    * `file_mb_max`: a new file begins before one grows larger, and with each day.
    * `removable`: the folder must be on another disk than `/`, so that nothing is written below
      the empty mount point of a stick that is not there.
    * `records_per_s`: a backlog is written no faster than this; by default as fast as it goes.
    * `mapping`: the id of a mapping: how records are said in the platform's words. `values`,
      `tables`: what that mapping asks the station for.
    """

    directory: str = Field(min_length=1)
    format: Literal["jsonl", "csv"] = "jsonl"
    file_mb_max: int = Field(default=16, ge=1, le=FILE_MB_MAX)
    removable: bool = False

    @property
    def manner(self) -> Manner:
        """A line of a mapping is an object, of CSV a flat one, with the record's id."""
        return LINES if self.format == "jsonl" else CELLS
