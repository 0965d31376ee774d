"""How a UHFReader is configured."""

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from drivers.rfid.contents import MemorySettings
from drivers.rfid.rounds import ReaderLink57600
from protocols.readers import uhfreader

Antenna: TypeAlias = Annotated[int, Field(ge=1, le=16)]
MASK_ANTENNAS_MAX = 8
"""Bits of the antenna byte; readers with 12 and 16 ports send an index."""


class Settings(MemorySettings):
    """Settings of `rfid.uhfreader`."""

    link: ReaderLink57600
    address: int = Field(default=0, ge=0, le=255, description="255 is whichever answers")
    dialect: Literal["auto", "18", "288", 18, 288] = Field(
        default="auto", description="18: no antenna, no RSSI; 288: also the 86 series"
    )
    mode: Literal["poll", "push"] = Field(
        default="poll", description="push writes the reader's work mode to its flash, once"
    )
    poll_ms: int = Field(default=50, ge=10, le=10_000, description="start to start of a round")
    antennas: tuple[Antenna, ...] = Field(
        default=(), max_length=16, description="poll these one by one; empty: as the reader is set"
    )
    antenna_encoding: uhfreader.Encoding = Field(
        default="mask", description="mask on 1, 4, 8 ports; index on 12, 16 ports"
    )
    power_dbm: int | None = Field(
        default=None, ge=0, le=33, description="written to flash when it differs; empty: as it is"
    )
    tid: bool = Field(
        default=False, description="also ask for the TID (FastID; dialect 288, tags that have it)"
    )

    @model_validator(mode="after")
    def _only_288_can(self) -> Self:
        if len(set(self.antennas)) != len(self.antennas):
            raise ValueError("an antenna is named twice")
        if self.antenna_encoding == "mask" and max(self.antennas, default=1) > MASK_ANTENNAS_MAX:
            raise ValueError("a mask has 8 antennas; set antenna_encoding: index")
        if self.antennas and str(self.dialect) == "18":
            raise ValueError("dialect 18 cannot choose antennas; remove antennas")
        if self.tid and str(self.dialect) == "18":
            raise ValueError("dialect 18 cannot report the TID with the EPC; remove tid")
        return self
