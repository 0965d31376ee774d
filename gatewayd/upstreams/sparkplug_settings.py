"""What a technician writes under `upstreams:` for `driver: sparkplug`."""

from pydantic import Field

from gatewayd.upstreams.broker_settings import BrokerSettings

NAME = r"^[^/+#\s]+$"


class SparkplugSettings(BrokerSettings):
    """An MQTT broker to which everything is said in Sparkplug B.

    * `url`: `mqtt://host[:1883]` or `mqtts://host[:8883]`, or a list of brokers of one platform.
    * `group`: the group id; topics are `spBv1.0/{group}/…`.
    * `node`: the edge node id, by default the station id; no two edge nodes of a group share one.
    * `primary_host`: the host without which nothing is said: while it is not online by its STATE,
      the node is dead and records wait; by default nobody is waited for.
    * `version`: `"5"` or `"3.1.1"`, as for `mqtt`.
    * `client_id`: default `gatewayd-{station id}-sparkplug`.
    * `username`, `password`, `keepalive_s`, `in_flight_max`, `tls`: as for `mqtt`.
    * `records_per_s`: a backlog is sent no faster than this; by default as fast as it is taken.
    """

    group: str = Field(min_length=1, max_length=128, pattern=NAME)
    node: str | None = Field(default=None, min_length=1, max_length=128, pattern=NAME)
    primary_host: str | None = Field(default=None, min_length=1, max_length=128, pattern=NAME)

    def called(self, station_id: str, upstream: str) -> str:
        """The client id; a plain upstream at the same broker has another one."""
        del upstream
        return self.client_id or f"gatewayd-{station_id}-sparkplug"
