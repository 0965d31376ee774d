"""What speaks against an open gate because of who stands there, or of what people said. Pure."""

from gatewayd.clock import SECOND
from gatewayd.rigs.model import Identity, State, View, Withdrawal
from gatewayd.rigs.soft_model import swapped
from gatewayd.settings.model import RigSettings
from gatewayd.store.model import Permit

FAILED = "PRECHECK_FAILED"
"""The reason that ends a fill also when it comes while gas flows: somebody has seen a fault."""


def cause_at_cylinder(
    state: State, view: View, permit: Permit, rig: RigSettings
) -> Withdrawal | None:
    """Why the gate must close for who stands there; before gas flows there is no holding on.

    The first look at the flow knows who stands there as a look before it would: it may have begun
    while nobody looked.
    """
    begins = _begins(state, view)
    unseen = begins or not state.flowed
    if not state.flowed and view.recalled is not None:
        return view.recalled
    if _weighs_otherwise(state, view, permit):
        return Withdrawal.CYLINDER_LEFT
    if held_since(view.identity, permit):
        return Withdrawal.CYLINDER_HELD
    if _written_since(view.identity, permit):  # Nobody has started: judged anew, and refused.
        return Withdrawal.CYLINDER_HELD if state.flowed else Withdrawal.VERDICT_CHANGED
    if view.identity.status == "many" and (rig.on_second_tag == "lock" or unseen):
        return Withdrawal.SECOND_TAG
    if view.identity.elsewhere and (rig.on_duplicate == "lock" or unseen):
        return Withdrawal.DUPLICATE
    if unseen and _names_another(view.identity, permit):
        return Withdrawal.SECOND_TAG
    if begins and view.identity.status == "waiting":
        return Withdrawal.VERDICT_CHANGED
    if view.identity.tag_lost and rig.on_tag_lost == "lock":
        return Withdrawal.TAG_LOST
    return _ended_before_start(state, view, rig) if not state.flowed else _failed(view)


def _begins(state: State, view: View) -> bool:
    """Whether this is the first look at the flow."""
    return state.flowed and state.started_ns == view.now_ns


def _weighs_otherwise(state: State, view: View, permit: Permit) -> bool:
    """Whether another cylinder stands there, put on before the one that was weighed was taken off.

    No scale is empty then, and where only a label names it nothing else tells. Before the start the
    weight that stands still counts, with the first look at the flow what the gate began with.
    """
    sample = view.sample
    if sample is None:
        return False
    begins = _begins(state, view)
    if not begins and (state.flowed or not view.steady):
        return False
    return bool(swapped(permit.tare_g, sample.gross_g - (sample.net_g if begins else 0)))


def _ended_before_start(state: State, view: View, rig: RigSettings) -> Withdrawal | None:
    """Also when nobody knows any more who stands there: nobody looked for too long."""
    if view.denied or view.identity.status == "waiting":
        return Withdrawal.VERDICT_CHANGED
    waited_ns = view.now_ns - state.opened_ns
    return Withdrawal.EXPIRED if waited_ns >= rig.permit.start_within_s * SECOND else None


def _failed(view: View) -> Withdrawal | None:
    return Withdrawal.CHECK_FAILED if FAILED in view.denied else None


def held_since(who: Identity, permit: Permit) -> bool:
    """Whether somebody has held this cylinder, or for another reason, since it was judged."""
    if who.cylinder is None or who.cylinder.code != permit.cylinder_code:
        return False
    judged = permit.judged.get("cylinder") or {}
    return bool(who.cylinder.hold) and who.cylinder.hold != judged.get("hold")


def _written_since(who: Identity, permit: Permit) -> bool:
    """Whether an inspector has written into the tag of this cylinder since it was judged.

    Where a second tag is let be, it is of somebody else, and so is what it holds.
    """
    judged = permit.judged.get("cylinder") or {}
    told = judged.get("tag_memory") or ()
    before, own = {each.get("finding") for each in told}, {each.get("uid") for each in told}
    new = (each for each in who.held if each.finding and each.finding not in before)
    return any(who.status == "one" or each.uid in own for each in new)


def _names_another(who: Identity, permit: Permit) -> bool:
    """Whether the archive has come to know another cylinder, or none, under the same reads."""
    if who.status != "one":
        return False
    return who.cylinder is None or who.cylinder.code != permit.cylinder_code
