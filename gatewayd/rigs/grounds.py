"""Does what a permit was judged by still hold? Asked until gas flows, and of failed checks after.

A verdict is of one moment, a permit waits for its start for minutes: meanwhile an operator leaves
or is barred, a check fails, the clock is set, a day ends, the archive is put right, a rig is locked.
The judgement is made again on the cylinder as the archive knows it now and as it was weighed then;
asked anew also right after commit 1, before the gate hears of it.
"""

from dataclasses import replace

from drivers.contract import GateSample
from gatewayd.clock import SECOND
from gatewayd.errors import StoreError
from gatewayd.rigs.after import Archive, FillRules, permitted_one
from gatewayd.rigs.assess import Bench, at_rig
from gatewayd.rigs.model import Identity, State, View, Withdrawal
from gatewayd.rigs.moves import Issue
from gatewayd.rigs.objections import held_since
from gatewayd.store.model import Permit

AGAIN_S = 1
"""How often it is asked while nobody starts; at once when people did something."""
OTHER_MASSES = "masses"
"""What stands for a reason when it is allowed still, but not as much as the gate was told."""

UNREADABLE = "STORE_UNAVAILABLE"


class Grounds:
    """What the rules say of one rig's permit while it lives, in every stage."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._fill_rules = FillRules(archive)
        self._permit: Permit | None = None
        self._sample: GateSample | None = None
        self._asked_ns = 0
        self._people = 0

    def issued(self, bench: Bench, effect: Issue, permit: Permit, view: View) -> View:
        """The view after commit 1, with what speaks against the permit by now."""
        self._permit, self._sample = permit, effect.sample
        return self._again(bench, permit, view)

    def look(self, bench: Bench, view: View, state: State) -> View:
        """The view, with what a rule says against the permit or the flow."""
        view = self._unseen(self._fill_rules.look(bench, view, state), state)
        permit = self._permit
        if permit is None or state.withdrawn is not None or state.permit is not permit:
            return view
        due = not state.flowed and view.now_ns - self._asked_ns >= AGAIN_S * SECOND
        return self._again(bench, permit, view) if due or view.people != self._people else view

    def _unseen(self, view: View, state: State) -> View:
        """The view, with a hold of the cylinder that is filled where the reads do not name it."""
        permit = state.permit
        if permit is None or not state.flowed or view.objected or _names(view.identity, permit):
            return view
        try:
            entry = self._archive.cylinder(permit.cylinder_code)
        except StoreError:
            return view  # Who stands here cannot be read either, which is said by itself.
        held = held_since(replace(view.identity, cylinder=entry), permit)
        return replace(view, objected=Withdrawal.CYLINDER_HELD) if held else view

    def _again(self, bench: Bench, permit: Permit, view: View) -> View:
        """Judge again by the entry as it is committed now; another cylinder objects by itself."""
        self._asked_ns, self._people = view.now_ns, view.people
        seen = view.identity if _names(view.identity, permit) else permitted_one(permit)
        try:
            entry = self._archive.cylinder(permit.cylinder_code)
        except StoreError:
            return replace(view, denied=(UNREADABLE,))
        who = replace(seen, cylinder=entry)
        verdict, plan = at_rig(bench, who, self._sample, view.wall, presence=view.presence)
        if not verdict.allowed:
            codes = (found.code for found in verdict.findings if found.severity == "deny")
            return replace(view, denied=tuple(codes))
        told = permit.target_g, permit.limit_gross_g
        same = plan is not None and (plan.target_g, plan.limit_gross_g) == told
        return view if same else replace(view, denied=(OTHER_MASSES,))


def _names(who: Identity, permit: Permit) -> bool:
    """Whether the reads name the permitted cylinder, and no other."""
    return who.cylinder is not None and who.cylinder.code == permit.cylinder_code
