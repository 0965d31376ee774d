"""Plants in what commands a gate: the driver of a PLC, and the gate made of scale and valve."""

from tests.plants.plant import Plant

DRIVER, LINES = "drivers/plc/modbus.py", "drivers/plc/lines.py"
SOFT, COMPOSITE = "gatewayd/rigs/softgate.py", "gatewayd/rigs/composite.py"

PLANTS = (
    Plant(
        "skip-the-read-back",
        "a PLC that took another number or limit counts as open as ordered, and fills by its own",
        DRIVER,
        old="        self._check(wanted, await self._command(wire))\n        self._still_wanted(locks)\n",
        new="        self._still_wanted(locks)\n",
        tests=(
            "tests/drivers/plc/test_modbus_tcp.py::test_one_register_read_back_otherwise_locks_and_is_an_error",
        ),
    ),
    Plant(
        "permit-before-limits",
        "start may be pressed while the PLC still has the limits of the cylinder before",
        DRIVER,
        old='        self._check({**wanted, "permit": before["permit"]}, await self._command(wire))\n',
        new="",
        tests=(
            "tests/drivers/plc/test_modbus_tcp.py::test_a_plc_that_keeps_other_limits_than_written_never_gets_the_permit",
        ),
    ),
    Plant(
        "lock-not-read-back",
        "a PLC that did not take the lock counts as closed while gas flows",
        DRIVER,
        old='        self._check({"permit": 0}, seen)\n',
        new="",
        tests=(
            "tests/drivers/plc/test_modbus_tcp.py::test_a_lock_that_reads_back_otherwise_is_an_error",
        ),
    ),
    Plant(
        "open-after-a-lock",
        "an opening that waited for the wire opens a gate that was locked meanwhile",
        DRIVER,
        old="        if self._locks != locks:\n",
        new="        if self._locks < 0:\n",
        tests=(
            "tests/drivers/plc/test_modbus_tcp.py::test_a_lock_during_an_open_wins_and_no_permit_is_written",
        ),
    ),
    Plant(
        "accept-a-late-reply-tcp",
        "the answer to an earlier question is taken for the answer to this one: closed for open",
        LINES,
        old="                if transaction != self._transaction:\n",
        new="                if transaction > 0xFFFF:\n",
        tests=(
            "tests/drivers/plc/test_lost_gates.py::test_a_late_answer_is_never_the_next_answer",
        ),
    ),
    Plant(
        "accept-a-late-reply-rtu",
        "on a serial line a late answer is read as the answer to the question after it",
        LINES,
        old="        stale = stream.discard()\n",
        new='        stale = b""\n',
        tests=(
            "tests/drivers/plc/test_bad_bus.py::test_what_comes_after_its_question_was_given_up_answers_no_later_one",
        ),
    ),
    Plant(
        "ask-in-doubt",
        "on a serial line a very late answer to another register passes for the one asked",
        LINES,
        old="        if doubt is None:\n            return 0.0\n",
        new="        if doubt is None or not ask.urgent:\n            return 0.0\n",
        tests=(
            "tests/drivers/plc/test_bad_bus.py::test_an_answer_later_than_the_silence_is_never_another_registers_value",
        ),
    ),
    Plant(
        "heartbeat-ignored",
        "a PLC whose program stopped is believed: its last weight and its last state stay true",
        "drivers/plc/polling.py",
        old="        if sample.at_ns - self._since_ns >= HEARTBEAT_STILL_S * SECOND_NS:\n",
        new="        if sample.at_ns < self._since_ns:\n",
        tests=(
            "tests/drivers/plc/test_lost_gates.py::test_a_heartbeat_that_stops_is_a_lost_device_after_one_second",
        ),
    ),
    Plant(
        "soft-gate-without-lease",
        "a rig that hangs holds the valve of its relay open for ever",
        SOFT,
        old="        if now_ns - self._renewed_ns > order.lease_ms * MS:\n",
        new="        if now_ns < self._renewed_ns:\n",
        tests=("tests/rigs/test_soft_kinds.py::test_a_lease_that_is_not_renewed_closes",),
        simulated=False,
    ),
    Plant(
        "soft-gate-takes-another-cylinder",
        "the cylinder is changed between permit and start, and another one is filled",
        SOFT,
        old="        if why := swapped(self._permitted_g, gross_g):\n",
        new="        if (why := swapped(self._permitted_g, gross_g)) and gross_g < 0:\n",
        tests=(
            "tests/rigs/test_soft_swaps.py::test_a_start_is_for_the_cylinder_that_was_permitted",
        ),
        simulated=False,
    ),
    Plant(
        "soft-gate-trusts-a-silent-scale",
        "the scale's cable is out, its last weight stays, and gas flows past every limit",
        SOFT,
        old="        if weight is None or now_ns - weight.at_ns > self.settings.fresh_ms * MS:\n",
        new="        if weight is None:\n",
        tests=("tests/rigs/test_soft_kinds.py::test_every_fault_in_mid_fill_closes_and_says_why",),
        simulated=False,
    ),
    Plant(
        "soft-gate-closes-once",
        "a relay that the process before left closed, or that did not obey, keeps its valve open",
        COMPOSITE,
        old="        self._maybe_open = self._maybe_open or valve.shows_open\n",
        new="        self._maybe_open = self._maybe_open and valve.shows_open\n",
        tests=("tests/rigs/test_composite.py::test_a_gate_whose_process_starts_is_closed_first",),
        simulated=False,
    ),
    Plant(
        "soft-gate-opens-unkept",
        "a crash in a fill of a relay rig forgets what had flowed",
        COMPOSITE,
        old="        await self._save()\n        self._look()\n",
        new="        self._look()\n",
        tests=("tests/rigs/test_composite.py::test_nothing_opens_before_its_memory_is_kept",),
        simulated=False,
    ),
)
