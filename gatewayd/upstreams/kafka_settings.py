"""What a technician writes under `upstreams:` for `driver: kafka`."""

import re
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from gatewayd.mapping.manners import KAFKA, Manner
from gatewayd.settings.mapped import MappedSettings
from gatewayd.upstreams.tls import TlsSettings

BROKERS_MAX = 16
BROKER = re.compile(r"([A-Za-z0-9._-]+|\[[0-9a-fA-F:]+\]):([1-9][0-9]{0,4})")
PORT_MAX = 65_535
HostPort = Annotated[str, StringConstraints(min_length=3, max_length=300)]


class KafkaSettings(MappedSettings):
    """A topic of a Kafka cluster. All records of a gateway go to one partition, in order.

    * `brokers`: `host:9092`, some of the cluster to begin with.
    * `topic`: the topic; it is never made here.
    * `username`, `password`, `sasl`: the password through `!secret`.
    * `tls`: TLS with these files, `{}` for the authorities of the operating system.
    * `message_bytes_max`: the topic's `max.message.bytes`; a larger record is a dead letter.
    * `answer_within_s`: later a batch is sent again with the same ids.
    * `records_per_s`: a backlog is sent no faster than this; by default as fast as it is taken.
    * `mapping`: the id of a mapping: how records are said in the platform's words. `values`,
      `tables`: what that mapping asks the station for.
    """

    brokers: tuple[HostPort, ...] = Field(min_length=1, max_length=BROKERS_MAX)
    topic: str = Field(default="gatewayd.records", pattern=r"^[A-Za-z0-9._-]{1,249}$")
    username: str | None = Field(default=None, min_length=1)
    password: str | None = Field(default=None, min_length=1, repr=False)
    sasl: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    tls: TlsSettings | None = None
    message_bytes_max: int = Field(default=1_000_000, ge=4_096, le=100_000_000)
    answer_within_s: int = Field(default=20, ge=1, le=600)

    @field_validator("brokers")
    @classmethod
    def _brokers(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for broker in value:
            found = BROKER.fullmatch(broker)
            if found is None or int(found[2]) > PORT_MAX:
                raise ValueError(f"not a broker: {broker!r}; expected host:9092")
        return value

    @model_validator(mode="after")
    def _together(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password belong together; expected both or neither")
        if self.username is not None and self.sasl == "PLAIN" and self.tls is None:
            raise ValueError("PLAIN shows the password to whoever listens; expected tls: {...}")
        return self

    @property
    def manner(self) -> Manner:
        """A message goes to a topic and has a key."""
        return KAFKA
