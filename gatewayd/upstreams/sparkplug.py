"""Sparkplug B: what the settings know of it; protobuf is imported once one is configured."""

from gatewayd.settings.kinds import UpstreamType
from gatewayd.upstreams.backoff import FIELD, Pace
from gatewayd.upstreams.contract import Upstream, UpstreamContext
from gatewayd.upstreams.sparkplug_settings import SparkplugSettings


def make(
    name: str, settings: SparkplugSettings, context: UpstreamContext, pace: Pace = FIELD
) -> Upstream:
    """An edge node, not yet running."""
    from gatewayd.upstreams.sparkplug_upstream import SparkplugUpstream  # noqa: PLC0415 - see above

    return SparkplugUpstream(name, settings, context, pace)


UPSTREAM = UpstreamType(
    "sparkplug", SparkplugSettings, make, "Sparkplug B over MQTT", needs="google.protobuf"
)
