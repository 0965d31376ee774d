"""The line that `systemctl status` shows: how the rigs stand, what hangs, why it did not start."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

from gatewayd import notify
from gatewayd.errors import ConfigError, StoreError
from gatewayd.texts import Language, text
from gatewayd.vitals import ALIVE_S

KINDS_SHOWN_MAX = 5
"""The kinds of alarms that are named; the oldest first, the others are only counted."""


def at_work(states: Collection[str], alarms: Sequence[str], language: Language) -> str:
    """What there is while every part moves: `states` of all rigs, the kinds of standing `alarms`."""
    named = ", ".join(list(dict.fromkeys(alarms))[:KINDS_SHOWN_MAX])
    values = {"alarms": len(alarms), "kinds": f" ({named})" if named else ""}
    if not states:
        return text("service.idle", language, **values)
    shown = [f"{text(f'rig.{name}', language)} {n}" for name, n in Counter(states).most_common()]
    return text("service.at_work", language, rigs=len(states), states=", ".join(shown), **values)


def hangs(parts: Sequence[str], language: Language) -> str:
    """Why no sign of life is given."""
    return text("service.hangs", language, parts=", ".join(parts), after_s=ALIVE_S)


@contextmanager
def told_when_it_ends() -> Iterator[None]:
    """Show why the daemon ends by bad news of its own, which passes through; both languages."""
    try:
        yield
    except ConfigError as exc:
        first, *others = str(exc).splitlines() or [""]
        _both("service.config", first=first, count=1 + len(others))
        raise
    except StoreError as exc:
        _both("service.store", why=str(exc))
        raise


def _both(key: str, **values: object) -> None:
    notify.status(f"{text(key, 'zh', **values)} / {text(key, 'en', **values)}")
