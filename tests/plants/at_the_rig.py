"""Plants in a rig: who stands there, what holds a permit open, how it ends."""

from tests.plants.plant import Plant

MACHINE, OBJECTIONS, PERMITTED, VACANT = (
    "gatewayd/rigs/machine.py",
    "gatewayd/rigs/objections.py",
    "gatewayd/rigs/permitted.py",
    "gatewayd/rigs/vacant.py",
)

PLANTS = (
    Plant(
        "resume-a-pending-permit",
        "after a crash the fill goes on under its old permit, whoever stands there by now",
        MACHINE,
        old=(
            "        withdrawn=Withdrawal.RESTART,\n        withdrawn_ns=now_ns,\n"
            "        gate_known=False,\n"
        ),
        new="        opened_ns=now_ns,\n        renewed_ns=now_ns,\n        gate_known=True,\n",
        tests=(
            "tests/rigs/test_machine.py::test_a_crash_during_a_fill_ends_in_one_interrupted_record",
        ),
    ),
    Plant(
        "gate-back-not-locked",
        "a PLC that was away comes back with its old permit, and is not told to close",
        MACHINE,
        old="        return _gate_back(state, view), (Lock(),)\n",
        new="        return _gate_back(state, view), ()\n",
        tests=("tests/rigs/test_machine.py::test_power_up_locks_the_gate_before_anything_else",),
    ),
    Plant(
        "renew-without-health",
        "the lease moves although the reader is gone or the store cannot commit",
        PERMITTED,
        old=(
            "    if view.ill:\n        return Withdrawal.STORE_LOST if view.ill == STORE_ILL "
            "else Withdrawal.DEVICE_LOST\n"
        ),
        new="",
        tests=(
            "tests/rigs/test_machine.py::test_a_device_lost_during_a_fill_closes_the_gate_and_faults",
        ),
    ),
    Plant(
        "renew-on-memory",
        "a gate that can be written and not read is held open upon its last sample",
        PERMITTED,
        old="RENEW_ON_MS_MAX = 100\n",
        new="RENEW_ON_MS_MAX = 100_000\n",
        tests=(
            "tests/rigs/test_fresh_lease.py::test_a_gate_that_takes_writes_and_tells_nothing_any_more_closes_within_its_lease",
        ),
    ),
    Plant(
        "no-look-after-the-commit",
        "the cylinder left while the permit was written to disk, and the gate opens all the same",
        PERMITTED,
        old=(
            "    cause = _objection(state, view, sample, permit, rig)\n    if cause is not None:\n"
            "        return _closing(withdraw(state, view, cause), view), (Lock(),)\n    order = "
        ),
        new="    order = ",
        tests=(
            "tests/rigs/test_rig.py::test_what_changes_during_the_commit_keeps_the_gate_closed",
        ),
    ),
    Plant(
        "cylinder-left-unnoticed",
        "the cylinder is taken off and another one put on, and the permit stays open for it",
        PERMITTED,
        old=("    if view.presence != state.presence:\n        return Withdrawal.CYLINDER_LEFT\n"),
        new="",
        tests=("tests/rigs/test_machine.py::test_another_cylinder_between_two_looks_closes",),
    ),
    Plant(
        "another-weight-is-filled",
        "another cylinder is put on before the permitted one is taken off, and is filled",
        OBJECTIONS,
        old="    if _weighs_otherwise(state, view, permit):\n",
        new="    if permit is None:\n",
        tests=(
            "tests/rigs/test_other_cylinder.py::test_who_stands_there_with_another_weight_gets_no_gas",
        ),
        simulated=False,
    ),
    Plant(
        "nobody-known-is-filled",
        "the process stood still, nobody knows who stands there by now, and start is pressed",
        OBJECTIONS,
        old='    if view.denied or view.identity.status == "waiting":\n',
        new="    if view.denied:\n",
        tests=(
            "tests/rigs/test_other_cylinder.py::test_a_permit_ends_when_nobody_knows_any_more_who_stands_there",
        ),
        simulated=False,
    ),
    Plant(
        "exchanged-plcs-fill",
        "two PLCs changed places, and the cylinder at the other rig is filled for this one",
        "gatewayd/rigs/mixup.py",
        old="        for rig_id in (self._rig_id, *others) if others else ():\n",
        new="        for rig_id in ():\n",
        tests=(
            "tests/rigs/test_mixup.py::test_a_gate_that_counts_as_another_rigs_did_fills_nothing",
        ),
        simulated=False,
    ),
    Plant(
        "leak-unseen",
        "a valve that leaks goes on filling a full cylinder, and no meter counts it",
        VACANT,
        old="    leaked = view.leaked_g > state.leaked_g\n",
        new="    leaked = False\n",
        tests=("tests/rigs/test_leak.py::test_gas_into_a_cylinder_that_was_filled_is_an_alarm",),
        simulated=False,
    ),
    Plant(
        "stall-unnoticed",
        "a process that stood still for longer than the lease goes on as if it had watched",
        PERMITTED,
        old=(
            "    if view.now_ns - state.renewed_ns > permit.lease_ms * MS:\n"
            "        return Withdrawal.STALLED\n"
        ),
        new="",
        tests=(
            "tests/rigs/test_machine.py::test_a_look_later_than_the_lease_closes_even_if_the_echo_still_stands",
        ),
    ),
    Plant(
        "wrong-echo-holds",
        "the PLC is open under another number than ours, and is kept open",
        PERMITTED,
        old=(
            "    return Withdrawal.NO_ECHO if _echo_wrong(state, view, sample, permit) else None\n"
        ),
        new="    return None\n",
        tests=("tests/rigs/test_machine.py::test_a_wrong_echo_is_not_permitted",),
    ),
    Plant(
        "overfull-goes-on",
        "a scale that stands still lets a cylinder be filled until its valve blows",
        PERMITTED,
        old="    return Withdrawal.OVER_LIMIT if too_much else None\n",
        new="    return None\n",
        tests=(
            "tests/rigs/test_lost_counters.py::test_the_totaliser_closes_a_fill_whose_scale_stands_still",
        ),
    ),
    Plant(
        "regulator-lock-ignored",
        "the supervisor locks a rig while gas flows, and gas flows on",
        PERMITTED,
        old="    if view.locked:\n        return Withdrawal.REGULATOR_LOCK\n",
        new="",
        tests=(
            "tests/rigs/test_rig_locks.py::test_a_lock_ends_a_fill_at_once_and_its_gas_is_recorded",
        ),
        simulated=False,
    ),
    Plant(
        "verdict-of-then",
        "what changes between permit and start (a barred operator, a hold) opens the gate anyway",
        OBJECTIONS,
        old='    if view.denied or view.identity.status == "waiting":\n',
        new='    if view.identity.status == "waiting":\n',
        tests=("tests/rigs/test_before_start.py::test_an_operator_who_was_barred_starts_no_fill",),
        simulated=False,
    ),
    Plant(
        "second-tag-ignored",
        "two cylinders at one gun: the legal one is read, the other one is filled",
        "gatewayd/rigs/identity.py",
        old="    if len(known) + bool(unknown) > 1 or ",
        new="    if len(known) > 1 or ",
        tests=("tests/rigs/test_identity.py::test_more_than_one_candidate_is_many",),
    ),
    Plant(
        "old-tag-counts",
        "the tag of the cylinder before names the one that stands there now",
        "gatewayd/rigs/presence.py",
        old="            return at_ns >= self._tags_from_ns\n",
        new="            return at_ns >= 0\n",
        tests=(
            "tests/rigs/test_presence.py::test_a_tag_seen_only_before_the_scale_was_empty_never_counts",
        ),
    ),
    Plant(
        "half-an-identity",
        "the required scanner has not spoken, and the tag alone decides",
        "gatewayd/rigs/identity.py",
        old="    if presence.missing():\n",
        new="    if presence.missing() and not tuple(sightings):\n",
        tests=(
            "tests/rigs/test_identity.py::test_nobody_is_named_before_the_required_device_spoke",
        ),
    ),
    Plant(
        "permit-not-committed",
        "gas flows under a permit that a crash forgets: nobody ever knows of that fill",
        "gatewayd/rigs/rig.py",
        old="            await self._store.issue(permit)\n",
        new="",
        tests=(
            "tests/rigs/test_rig.py::test_the_gate_hears_of_a_permit_only_after_it_is_committed",
        ),
    ),
    Plant(
        "order-after-a-stall",
        "a process that stood still writes an order for a cylinder that is gone",
        "gatewayd/rigs/hand.py",
        old=(
            "            if started_ns - seen_ns > stale_ms * MS:\n"
            '                raise DriverError("stalled before the order was written")\n'
        ),
        new="",
        tests=(
            "tests/rigs/test_rig_trouble.py::test_an_order_that_was_decided_long_ago_is_not_written",
        ),
    ),
    Plant(
        "stray-gas-unrecorded",
        "a leaking valve or a bypass empties the tank into cylinders that nobody recorded",
        VACANT,
        old="    if abs(stray_g) <= AGREE_G:\n",
        new="    if abs(stray_g) >= 0:\n",
        tests=("tests/rigs/test_machine.py::test_flow_without_a_permit_is_recorded_and_alarmed",),
    ),
    Plant(
        "open-gate-unnoticed",
        "somebody opens the gate past the gateway, and it is neither closed nor told",
        VACANT,
        old="    if sample.permit_echo or sample.valve_open or sample.filling:\n        state, counted",
        new="    if sample.permit_echo and sample.e_stop:\n        state, counted",
        tests=(
            "tests/rigs/test_gates_that_lie.py::test_a_gate_that_somebody_else_opened_is_locked_again_and_again_and_told_once",
        ),
    ),
    Plant(
        "gas-while-away-forgotten",
        "what flowed while the computer was off is in no record and no alarm",
        "gatewayd/rigs/recovery.py",
        old="        total_g=store.last_total_g(rig_id),\n",
        new="        total_g=None,\n",
        tests=("tests/rigs/test_boot.py::test_a_start_books_what_it_finds",),
    ),
    Plant(
        "residue-not-deducted",
        "a cylinder that came back half full is filled up by a whole load: it bursts in the sun",
        "rules_engine/masses.py",
        old="    target_g = wanted_g - inside_g\n",
        new="    target_g = wanted_g\n",
        tests=("tests/rigs/test_assess.py::test_target_and_limit_are_those_of_the_contract",),
    ),
    Plant(
        "limit-above-what-it-holds",
        "the PLC trips only after the cylinder holds more than it may",
        "rules_engine/masses.py",
        old="        limit_gross_g=tare_g + allowed_net_g,\n",
        new="        limit_gross_g=tare_g + allowed_net_g + terms.tolerance_g,\n",
        tests=("tests/rigs/test_assess.py::test_target_and_limit_are_those_of_the_contract",),
    ),
)
