"""What a technician writes under `upstreams:` for `driver: mqtt`."""

from typing import Literal, Self

from pydantic import Field, model_validator

from gatewayd.mapping.manners import MQTT, Manner
from gatewayd.settings.mapped import MappedSettings
from gatewayd.upstreams.broker_settings import BrokerSettings
from gatewayd.upstreams.door import CommandName


class MqttSettings(BrokerSettings, MappedSettings):
    """An MQTT broker.

    * `url`: `mqtt://host[:1883]` or `mqtts://host[:8883]`; a list of them is one platform behind
      several brokers: the first that answers is used, and after a loss the first is asked first.
    * `prefix`: topics are `{prefix}/{station id}/…`.
    * `version`: `"5"`, or `"3.1.1"`, under which a broker that refuses a record cannot say so and
      the record is lost to it; choose 5 wherever the broker has it.
    * `client_id`: default `gatewayd-{station id}`, with a mapping also `-{upstream}`;
      two clients of one id throw each other out.
    * `username`, `password`: as the broker wants them; a password through `!secret`.
    * `keepalive_s`: how long silence may last before we ask; twice as long and the broker is left.
    * `in_flight_max`: records sent but not yet acknowledged; the broker's own limit counts too.
    * `tls`: files for `mqtts://`.
    * `commands`: what this platform may ask for: a list of names, `all`, or `none`, under which not
      even a refusal is answered. Whoever may publish to the broker may then give these commands.
    * `ack`: `required`: a record counts only when a subscriber confirms it on `{prefix}/{station
      id}/ack`, as `{"id"}`, `{"ids": [...]}` or `{"through_sequence"}`; else when the broker has it.
    * `ack_within_s`: so long without any confirmation, and what is not confirmed is sent again.
    * `records_per_s`: a backlog is sent no faster than this; by default as fast as it is taken.
    * `mapping`: the id of a mapping: its messages are then all that is said there; no board, no
      will, no commands. `values`, `tables`: what that mapping asks the station for.
    """

    prefix: str = Field(default="gatewayd/v1", pattern=r"^[^/+#$\s][^/+#\s]*(/[^/+#\s]+)*$")
    ack: Literal["none", "required"] = "none"
    ack_within_s: int = Field(default=30, ge=1, le=600)
    commands: Literal["all", "none"] | tuple[CommandName, ...] = ("ping",)

    @model_validator(mode="after")
    def _only_said(self) -> Self:
        if self.mapping is not None and "commands" in self.model_fields_set:
            raise ValueError("a mapping takes no commands; expected another upstream for them")
        return self

    def called(self, station_id: str, upstream: str) -> str:
        """The client id; a platform with words of its own does not throw out one without."""
        mapped = self.client_id is None and self.mapping is not None
        own = super().called(station_id, upstream)
        return f"{own}-{upstream}" if mapped else own

    @property
    def manner(self) -> Manner:
        """A message goes to a topic."""
        return MQTT
