"""The daemon's bad news, as a small tree.

    GatewayError
    ├── ConfigError   the configuration is wrong: every problem at once, exit 2 or 1
    ├── StoreError    the store cannot open, read or commit: gates close, exit 3
    │   └── DamagedError  its file is not what was written
    ├── UpstreamError an upstream refused or is gone: records stay, retried
    └── RejectedError a file or request was refused whole (import): nothing was changed

Drivers raise `drivers.contract.DriverError`; rule packs raise `rules_engine` errors.
"""


class GatewayError(Exception):
    """Any failure that the daemon names; its text is for the person on call."""


class ConfigError(GatewayError):
    """The configuration is wrong; the text lists every problem, one a line."""


class StoreError(GatewayError):
    """The store cannot be opened, read or written."""


class DamagedError(StoreError):
    """The store's file is not what was written: pages, chain or tables do not fit.

    `why` is what was found, without what to do about it.
    """

    def __init__(self, text: str, why: str) -> None:
        super().__init__(text)
        self.why = why


class UpstreamError(GatewayError):
    """An upstream refused a record or the link to it is gone."""


class RejectedError(GatewayError):
    """Input was refused as a whole and nothing changed; the text says where and why."""
