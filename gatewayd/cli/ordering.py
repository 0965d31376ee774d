"""What people order at the terminal, holds, locks and codes out of use: who, why, and done at once.

Works with or without a running daemon; a running one sees it within a tick.
"""

import getpass
from zoneinfo import ZoneInfo

import click

from gatewayd.clock import SystemClock
from gatewayd.desk.holds import order
from gatewayd.desk.terms import By, No
from gatewayd.errors import RejectedError
from gatewayd.settings.site import Site
from gatewayd.store import beside
from gatewayd.store.chain import Issuer
from gatewayd.store.orders import CarryOut, Done, Order
from gatewayd.texts import Language

by_option = click.option("--by", default="", help="Who decided it; default: your login.")


def given(subject: str, by: str, reason: str, language: Language) -> Order:
    """An order of whoever is named, else of who is logged in; raises RejectedError."""
    said = order(subject, By(by.strip() or getpass.getuser(), "cli", reason), SystemClock())
    if isinstance(said, No):
        raise RejectedError(str(said.message.zh if language == "zh" else said.message.en))
    return said


def issuer(settings: Site) -> Issuer:
    """Whose records the station makes."""
    return Issuer(settings.station.id, ZoneInfo(settings.station.timezone))


def carried_out(work: CarryOut, ordered: Order, settings: Site) -> Done:
    """What became of an order, committed with its record; raises StoreError."""
    quota_mb = settings.store.quota_mb
    return beside.order(
        settings.store_path, work, ordered, issuer=issuer(settings), quota_mb=quota_mb
    )
