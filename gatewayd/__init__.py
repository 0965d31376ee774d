"""The daemon: wiring, state, clock, store, upstreams and the command line."""

__version__ = "0.1.0"
