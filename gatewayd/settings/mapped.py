"""What a technician writes at an upstream whose platform has field names of its own."""

from typing import Self

from pydantic import Field, PrivateAttr, model_validator

from gatewayd.mapping.file import MAPPING_ID, Scalar
from gatewayd.mapping.manners import Manner
from gatewayd.mapping.mapping import Tongue
from gatewayd.settings.kinds import PacedSettings


class MappedSettings(PacedSettings):
    """What every kind of upstream has that can speak by a mapping.

    * `mapping`: the id of a mapping: how records are said in the platform's words.
    * `values`: what that mapping asks the station for, such as its number there.
    * `tables`: code tables in the place of those of the mapping.
    """

    mapping: str | None = Field(default=None, pattern=MAPPING_ID)
    values: dict[str, Scalar] = Field(default_factory=dict, repr=False)
    tables: dict[str, dict[str, str]] = Field(default_factory=dict)
    _tongue: Tongue | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _mapped(self) -> Self:
        if self.mapping is None and (self.values or self.tables):
            raise ValueError("values and tables belong to a mapping; expected mapping: ID")
        return self

    @property
    def manner(self) -> Manner | None:
        """How messages of a mapping are addressed; None = this kind speaks by requests (HTTP)."""
        return None

    @property
    def tongue(self) -> Tongue | None:
        """The mapping, ready to speak; None = records go as they are."""
        assert self.mapping is None or self._tongue is not None, "checked settings can speak"
        return self._tongue

    def speaking(self, tongue: Tongue) -> Self:
        """The same settings with their mapping found."""
        copy = self.model_copy()
        copy._tongue = tongue  # noqa: SLF001 - our own
        return copy
