"""Every metric with its labels and help text, once: README.md and the tests are made from it.

Labels are names from the configuration and words of ours, never a cylinder, a tag or a person: how
many time series there are is known from the configuration.
"""

from typing import Final

from gatewayd.metrics.terms import Metric


def _counter(name: str, text: str, *labels: str) -> Metric:
    return Metric(f"gatewayd_{name}_total", "counter", text, labels)


def _gauge(name: str, text: str, *labels: str) -> Metric:
    return Metric(f"gatewayd_{name}", "gauge", text, labels)


def _histogram(name: str, text: str, *labels: str) -> Metric:
    return Metric(f"gatewayd_{name}", "histogram", text, labels)


# The daemon

BUILD: Final = _gauge("build_info", "Always 1; the version is in the labels.", "version", "python")
STARTED: Final = _gauge("start_time_seconds", "When the daemon started, seconds since 1970.")
LAG: Final = _histogram("loop_lag_seconds", "How late the daemon's one loop wakes a sleeper.")
CLOCK: Final = _gauge(
    "clock_state", "1 for what is true of the clock: ntp, gateway or untrusted.", "state"
)

# Rigs

PHASE: Final = _gauge("rig_phase", "1 for the phase a rig is in.", "rig", "phase")
PERMIT: Final = _gauge("rig_permit_live", "1 while a permit may hold the rig's gate open.", "rig")
FILLS: Final = _counter(
    "fills",
    "Fill records since the daemon started, also of gas without a permit.",
    "rig",
    "outcome",
)
FILLED: Final = _counter("filled_grams", "Net mass of those fill records, in grams.", "rig")
REFUSALS: Final = _counter(
    "refusals", "Refusal records since the daemon started, by reason code.", "rig", "reason"
)
TOTALISER: Final = _gauge(
    "rig_totaliser_grams", "The rig's totaliser as last recorded, in grams.", "rig"
)
SCAN: Final = _histogram(
    "scan_to_permit_seconds",
    "From the cylinder standing there and read to the gate's echo of its permit.",
    "rig",
)
RENEWAL: Final = _histogram(
    "lease_renewal_seconds", "Time between two renewals of the lease of one permit.", "rig"
)

# Records and platforms

RECORDS: Final = _counter("records", "Records committed since the daemon started.", "kind")
COMMANDS: Final = _counter(
    "commands", "Requests of platforms that left a record.", "command", "outcome"
)
BACKLOG: Final = _gauge("upstream_backlog_records", "Records the platform lacks.", "upstream")
OLDEST: Final = _gauge(
    "upstream_oldest_waiting_seconds", "Age of the oldest of them; 0 when none waits.", "upstream"
)
DELIVERED: Final = _counter(
    "upstream_delivered", "Records the platform took, since the daemon started.", "upstream"
)
REJECTED: Final = _counter(
    "upstream_rejected", "Records the platform refused for good: dead letters.", "upstream"
)
RETRIED: Final = _counter(
    "upstream_retried",
    "Offers of records that the platform did not take, to be made again.",
    "upstream",
)
RESENT: Final = _counter(
    "upstream_resent", "Records sent once more because the platform asked for them.", "upstream"
)
SESSIONS: Final = _counter(
    "upstream_connections", "How often the platform was reached anew.", "upstream"
)
UPSTREAM: Final = _gauge(
    "upstream_state", "1 for the state an upstream is in.", "upstream", "state"
)
DEAD: Final = _gauge(
    "upstream_dead_letters", "Dead letters that wait for a person, or are sent again.", "upstream"
)

# Devices

DEVICE: Final = _gauge("device_state", "1 for the state a device is in.", "device", "state")
READINGS: Final = _counter("device_readings", "Readings a device gave.", "device")
ATTEMPTS: Final = _counter("device_connects", "Attempts to reach a device.", "device")
LOSSES: Final = _counter("device_losses", "How often a device was up and lost.", "device")
MISSED: Final = _counter("device_missed_polls", "Questions a device did not answer.", "device")
GARBLED: Final = _counter(
    "device_undecodable_frames", "Times that bytes came which were no frame.", "device"
)
TROUBLES: Final = _gauge(
    "device_troubles", "What a person should put right at a device.", "device", "kind"
)
POLLS: Final = _counter("wire_requests", "Requests on a shared Modbus wire.", "wire", "unit")
UNANSWERED: Final = _counter(
    "wire_missed_requests", "Of those, requests without a usable answer.", "wire", "unit"
)
BUSY: Final = _counter("wire_busy_seconds", "Time that they took of the wire.", "wire", "unit")

# Alarms and the store

ALARMS: Final = _gauge("alarms_active", "Alarms that stand.", "kind", "severity")
UNANSWERED_ALARMS: Final = _gauge(
    "alarms_unacknowledged", "Of those, alarms that nobody has answered for.", "kind", "severity"
)
STORE: Final = _gauge("store_bytes", "Size of the store's files: file, log and ballast.", "part")
QUOTA: Final = _gauge("store_quota_bytes", "What the store may grow to.")
USED: Final = _gauge("store_used_ratio", "How much of its quota, or of the disk, is used.")
HEALTHY: Final = _gauge("store_healthy", "1 while the store commits and has room.")
STUCK: Final = _gauge("store_stuck_seconds", "How long a commit has been under way.")
COMMIT: Final = _histogram("store_commit_seconds", "Time of one commit with its fsync.")
SEQUENCE: Final = _gauge("store_last_sequence", "Sequence of the newest record.")
ARCHIVE: Final = _gauge(
    "archive_confirmed_time_seconds", "When the archive was last said to be right, since 1970."
)

METRICS: Final = tuple(each for each in tuple(globals().values()) if isinstance(each, Metric))
"""All of them, in their order."""
