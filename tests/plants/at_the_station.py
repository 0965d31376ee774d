"""Plants in what the whole station hangs on: rules, clock, watchdog, commands, vouchers, reload."""

from tests.plants.plant import Plant

ENGINE, CLERK = "rules_engine/engine.py", "gatewayd/commands/clerk.py"

HELD_BACK = (
    "tests/drivers/test_rounds.py::test_what_a_network_held_back_counts_from_when_it_was_asked_for"
)

PLANTS = (
    Plant(
        "deny-does-not-win",
        "a cylinder that one rule forbids is filled",
        "rules_engine/verdict.py",
        old='        return self.decision == "allow"\n',
        new='        return self.decision in ("allow", "deny")\n',
        tests=("tests/rigs/test_packs_at_a_rig.py::test_without_a_needed_column_it_is_refused",),
    ),
    Plant(
        "missing-fact-allows",
        "a cylinder whose test date nobody knows counts as tested",
        ENGINE,
        old=(
            '        "DATA_MISSING", first.severity, _MISSING.render(words), first.basis, first.name, '
            "values\n"
        ),
        new='        "DATA_MISSING", "warn", _MISSING.render(words), first.basis, first.name, values\n',
        tests=(
            "tests/rules_engine/test_engine.py::test_what_reads_an_unknown_fact_denies_however_it_is_written",
        ),
    ),
    Plant(
        "broken-rule-allows",
        "a rule that fails in itself counts as kept",
        ENGINE,
        old='        elif outcome.says == "broken":\n',
        new='        elif outcome.says == "broken" and rule.severity != "deny":\n',
        tests=(
            "tests/rules_engine/test_engine.py::test_a_rule_that_fails_denies_even_when_it_only_observes",
        ),
        simulated=False,
    ),
    Plant(
        "no-rules-allow",
        "a rig whose rules are gone fills everything that the archive knows",
        ENGINE,
        old="    if not judged or any(not pack.rules for pack in packs):\n",
        new="    if any(not pack.rules for pack in packs):\n",
        tests=("tests/rules_engine/test_engine.py::test_no_packs_deny",),
        simulated=False,
    ),
    Plant(
        "wrong-pack-in-force",
        "rules of the site whose own examples fail decide from the next cylinder on",
        "gatewayd/settings/library.py",
        old="    failures = examples.wrong(loaded) if prove else ()\n",
        new="    failures = examples.wrong(loaded) if prove and below is None else ()\n",
        tests=(
            "tests/settings/test_library.py::test_a_pack_that_extends_one_is_proven_by_its_own_examples",
        ),
        simulated=False,
    ),
    Plant(
        "clock-set-back-believed",
        "the clock is set back a year, and every overdue cylinder is legal again",
        "gatewayd/timekeeping/doubts.py",
        old="    if latest is not None and wall < latest - timedelta(seconds=limits.jump_s_max):\n",
        new="    if latest is not None and wall < latest - timedelta(days=limits.jump_s_max):\n",
        tests=(
            "tests/timekeeping/test_keeper.py::test_a_clock_that_went_back_behind_the_records_is_noticed_at_the_next_start",
        ),
    ),
    Plant(
        "watchdog-always-told",
        "the alarms or a rig hang, and the watchdog that would restart the gateway hears all is well",
        "gatewayd/vitals.py",
        old="        if dead:\n            return False\n",
        new="",
        tests=("tests/vitals/test_vitals.py::test_one_part_that_does_not_move_silences_the_whole",),
        simulated=False,
    ),
    Plant(
        "hang-unnoticed",
        "a fill goes on although the driver of the reader that the rig requires stands still",
        "gatewayd/stillness.py",
        old="        if self._still <= LOOKS:\n",
        new="        if self._still:\n",
        tests=(
            "tests/drivers/test_hung_at_a_rig.py::test_a_reader_whose_driver_hangs_closes_the_gate_and_is_named",
        ),
        simulated=False,
    ),
    Plant(
        "tag-counts-when-heard",
        "a tag that a network held back names the cylinder without tag that stands there by then",
        "drivers/rfid/rounds.py",
        old="    return Gathered(heard, left, said_ns)\n",
        new="    return Gathered(heard, left, dialog.context.monotonic_ns())\n",
        tests=(HELD_BACK,),
    ),
    Plant(
        "late-answer-of-this-round",
        "what a reader says late is taken for the answer to the newest question",
        "drivers/owed.py",
        old="        return self.since_ns if at is None else self._open[at][1]\n",
        new="        return self.since_ns if at is None else self._open[-1][1]\n",
        tests=(
            "tests/drivers/test_owed.py::test_nothing_is_taken_for_younger_than_it_is",
            HELD_BACK,
        ),
    ),
    Plant(
        "store-never-proven",
        "the disk dies in mid-fill, and gas flows on until its record cannot be written",
        "gatewayd/store/pulse.py",
        old="        if alive() or waited_s >= PROVE_IDLE_S:\n",
        new="        if not alive() and waited_s >= PROVE_IDLE_S:\n",
        tests=(
            "tests/rigs/test_stalls.py::test_a_store_that_fails_in_mid_fill_is_found_out_and_closes",
        ),
    ),
    Plant(
        "retained-command-obeyed",
        "an unlock that lay at the broker since last week unlocks the rig at every reconnect",
        CLERK,
        old="        if call.retained:\n",
        new="        if call.retained and not call.body:\n",
        tests=(
            "tests/commands/test_requests.py::test_retained_unknown_and_forbidden_requests_are_refused_and_recorded",
        ),
        simulated=False,
    ),
    Plant(
        "expired-command-obeyed",
        "an unlock that was on its way for a day unlocks a rig that was locked since",
        "gatewayd/commands/reading.py",
        old="    if asked.expires <= now.wall:\n",
        new="    if asked.expires <= now.wall - timedelta(seconds=LIFE_S_MAX):\n",
        tests=(
            "tests/commands/test_requests.py::test_what_does_not_count_is_refused_and_changes_nothing",
        ),
        simulated=False,
    ),
    Plant(
        "command-carried-out-twice",
        "a release that is heard twice lifts the hold that came in between",
        CLERK,
        old="        if first is not None:\n            self._again(call, asked, first)\n            return\n",
        new="",
        tests=(
            "tests/commands/test_requests.py::test_an_id_is_carried_out_once_and_a_repetition_shows_the_first_reply",
        ),
        simulated=False,
    ),
    Plant(
        "old-snapshot-wins",
        "an older archive that comes late puts back into use what was scrapped since",
        "gatewayd/commands/snapshot.py",
        old="    if newest is not None and asked.source_version <= newest:\n",
        new="    if newest is not None and asked.source_version < 0:\n",
        tests=("tests/commands/test_snapshot.py::test_an_older_snapshot_overrides_nothing_newer",),
        simulated=False,
    ),
    Plant(
        "no-voucher-when-offline",
        "pull the network cable, and every rig fills without the platform's word",
        "gatewayd/rigs/vouched.py",
        old="        lenient = answer.offline and settings.lenient(today) is not None\n",
        new="        lenient = answer.offline\n",
        tests=(
            "tests/vouchers/test_vouched.py::test_a_site_goes_on_without_the_platform_only_in_writing",
        ),
        simulated=False,
    ),
    Plant(
        "voucher-of-the-one-before",
        "the yes for the cylinder before opens the gate for the one that stands there now",
        "gatewayd/rigs/vouched.py",
        old="        if ask is None or ask.code != cylinder.code or asked.presence not in {0, ask.presence}:\n",
        new="        if ask is None:\n",
        tests=(
            "tests/vouchers/test_vouched.py::test_an_answer_for_a_cylinder_that_left_is_nobodys",
        ),
        simulated=False,
    ),
    Plant(
        "reload-in-mid-fill",
        "a file is saved, and the driver of an open gate is taken away under it",
        "gatewayd/reload/keeper.py",
        old="        return task is None or task.done()\n",
        new="        return task is None or task.get_name() != rig\n",
        tests=(
            "tests/reload/test_reloader.py::test_what_a_rig_that_is_not_at_rest_stands_on_is_left_alone",
        ),
        simulated=False,
    ),
    Plant(
        "recall-forgotten",
        "new rules forbid the cylinder that waits for its start, and its permit stays open",
        "gatewayd/rigs/objections.py",
        old="    if not state.flowed and view.recalled is not None:\n        return view.recalled\n",
        new="",
        tests=(
            "tests/rigs/test_leaving.py::test_new_packs_take_back_a_permit_nobody_started_and_judge_anew",
        ),
        simulated=False,
    ),
)
