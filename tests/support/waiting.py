"""Waiting for what must come: looked at until it holds, however slow the machine is."""

from drivers.suite.bench import LOOK_EVERY_S, WITHIN_S, until

__all__ = ["LOOK_EVERY_S", "WITHIN_S", "until"]
