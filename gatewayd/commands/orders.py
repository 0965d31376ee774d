"""Hold and release a cylinder, lock and unlock a rig: the desk's, once for an id.

A platform ends only what the same platform began, and its own order takes no other's place: whoever
locked a rig to work at it must not find it unlocked from afar. People at the station end anything.
"""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

import apsw

from gatewayd.commands.office import Office
from gatewayd.commands.schemas import Held, Locked, OnCylinder, OnRig
from gatewayd.commands.terms import Case, Reply, Said, refuse, refused_by, reply_of
from gatewayd.desk.holds import Within
from gatewayd.desk.terms import No, no
from gatewayd.errors import RejectedError
from gatewayd.store.chain import Issuer
from gatewayd.store.holds import FROM_IMPORT
from gatewayd.store.orders import CarryOut, Done, Order

_HELD_BY = "SELECT held_by FROM holds WHERE code = ? AND released_at IS NULL"
_LOCKED_BY = "SELECT locked_by FROM rig_locks WHERE rig = ? AND unlocked_at IS NULL"
_NOTHING = frozenset({"not_held", "not_locked"})

Ask: TypeAlias = Callable[[Within], Awaitable[Done | No]]
Tell: TypeAlias = Callable[[Done], Said]


class _OthersError(RejectedError):
    """It is somebody else's; the text says whose."""


async def hold(office: Office, asked: OnCylinder, case: Case) -> Reply:
    """Hold a cylinder, known or not."""
    return await _carry_out(
        office,
        case,
        _HELD_BY,
        lambda within: office.desk.hold(asked.code, by=case.by, within=within),
        lambda done: Held(code=asked.code, changed=done.changed, known=done.known),
    )


async def release(office: Office, asked: OnCylinder, case: Case) -> Reply:
    """End a hold that this platform made, or that came with the archive."""
    nothing = refused_by(no("not_held", subject=asked.code))
    return await _carry_out(
        office,
        case,
        _HELD_BY,
        lambda within: office.desk.release(asked.code, by=case.by, within=within),
        lambda done: Held(code=asked.code, changed=True) if done.changed else nothing,
    )


async def lock(office: Office, asked: OnRig, case: Case) -> Reply:
    """Lock a rig; its gate closes at once."""
    return await _carry_out(
        office,
        case,
        _LOCKED_BY,
        lambda within: office.desk.lock(asked.rig, by=case.by, within=within),
        lambda done: Locked(rig=asked.rig, changed=done.changed),
    )


async def unlock(office: Office, asked: OnRig, case: Case) -> Reply:
    """End a lock that this platform made."""
    nothing = refused_by(no("not_locked", subject=asked.rig))
    return await _carry_out(
        office,
        case,
        _LOCKED_BY,
        lambda within: office.desk.unlock(asked.rig, by=case.by, within=within),
        lambda done: Locked(rig=asked.rig, changed=True) if done.changed else nothing,
    )


async def _carry_out(office: Office, case: Case, whose: str, ask: Ask, tell: Tell) -> Reply:
    """The order, its record, the request's record and the reply, in one transaction."""
    told: list[Said] = []

    def within(work: CarryOut) -> CarryOut:
        def both(connection: apsw.Connection, issuer: Issuer, order: Order) -> Done:
            _only_own(connection, whose, order.subject, case)
            done = work(connection, issuer, order)
            told[:] = [tell(done)]
            case.settle(connection, issuer, told[0])
            return done

        return both

    store = office.context.store
    try:
        said = await ask(within)
    except _OthersError as exc:
        return await case.finish(store, refuse("not_yours", by=str(exc)))
    if isinstance(said, No) and said.code not in _NOTHING:
        return await case.finish(store, refused_by(said))
    return reply_of(case.id, told[0])


def _only_own(connection: apsw.Connection, whose: str, subject: str, case: Case) -> None:
    owner = connection.execute(whose, (subject,)).get
    ours = platform(case.upstream)
    if not (owner is None or owner in {FROM_IMPORT, ours} or owner.startswith(f"{ours}:")):
        raise _OthersError(owner)


def platform(upstream: str) -> str:
    """How records name a platform; a person it speaks for follows."""
    return f"upstream {upstream}"
