"""Make a failing history short: leave out what it does not need, and say what is left."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from tests.histories.history import Result, live
from tests.histories.people import Visit
from tests.histories.plan import Plan

TRIES_MAX = 150

T = TypeVar("T")


def kind(result: Result) -> tuple[int, str]:
    """What broke first, without its numbers: the same failure has the same kind."""
    first = result.wrong[0]
    return first.invariant, "".join(c for c in first.text if not c.isdigit())


def shrink(failed: Result) -> Result:
    """The shortest history found that breaks the same promise."""
    wanted = kind(failed)
    best = failed
    tries = 0

    def still(plan: Plan) -> bool:
        nonlocal best, tries
        if tries >= TRIES_MAX:
            return False
        tries += 1
        result = live(plan)
        broken = bool(result.wrong) and kind(result) == wanted
        if broken:
            best = result
        return broken

    plan = failed.plan
    faults = _fewer(plan.faults, lambda left: still(plan.shorter(plan.visits, tuple(left))))
    plan = plan.shorter(plan.visits, tuple(faults))
    visits = _fewer(plan.visits, lambda left: still(plan.shorter(tuple(left), plan.faults)))
    _plain(plan.shorter(tuple(visits), plan.faults), still)
    return best


def _fewer(items: Sequence[T], still: Callable[[Sequence[T]], bool]) -> Sequence[T]:
    """Delta debugging: leave out halves, then quarters, down to one."""
    size = len(items)
    while size:
        start = 0
        while start < len(items):
            left = [*items[:start], *items[start + size :]]
            if still(left):
                items = left
            else:
                start += size
        size //= 2
    return items


def _plain(plan: Plan, still: Callable[[Plan], bool]) -> None:
    """Let people err no more where the failure does not need it."""
    for index, visit in enumerate(plan.visits):
        if not visit.quirk:
            continue
        plain = Visit(visit.rig, visit.cylinder, legal=visit.legal, quirk="", seed=visit.seed)
        changed = (*plan.visits[:index], plain, *plan.visits[index + 1 :])
        if still(plan.shorter(changed, plan.faults)):
            plan = plan.shorter(changed, plan.faults)


def told(result: Result) -> str:
    """The story of a history, for a person."""
    head = [
        _head(result),
        *result.story,
        "broken:" if result.wrong else "nothing was broken",
        *(str(wrong) for wrong in result.wrong),
    ]
    return "\n".join(head)


def _head(result: Result) -> str:
    plan = result.plan
    left = f"{len(plan.faults)} faults, {len(plan.visits)} visits"
    return f"seed {plan.seed}, {left}, fingerprint {result.fingerprint[:16]}"
