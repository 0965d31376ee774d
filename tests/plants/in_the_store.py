"""Plants in what keeps and forwards records: the store, its room, the chain, the outbox, the archive."""

from tests.plants.plant import Plant

WRITES, WRITER = "gatewayd/store/writes.py", "gatewayd/store/writer.py"

PLANTS = (
    Plant(
        "post-twice",
        "one fill is two records: a customer pays twice, and the sums never agree",
        WRITES,
        old='    if state != "pending":\n        committed = _committed(connection, draft.id)\n',
        new='    if state == "":\n        committed = _committed(connection, draft.id)\n',
        tests=("tests/store/test_store_records.py::test_a_permit_is_resolved_exactly_once",),
    ),
    Plant(
        "total-not-kept",
        "after a restart the same gas counts as flowed without a permit, or gas is missed",
        WRITES,
        old="    if draft.total_after_g is not None:\n",
        new="    if draft.total_after_g is not None and draft.alarm is not None:\n",
        tests=(
            "tests/store/test_store_records.py::test_a_record_moves_the_last_total_of_its_rig_only",
        ),
    ),
    Plant(
        "begin-on-the-reserve",
        "the store is full, a fill begins all the same, and its end cannot be recorded",
        WRITES,
        old="    database.require_room(connection)\n    connection.execute(_ISSUE, ",
        new="    connection.execute(_ISSUE, ",
        tests=(
            "tests/store/test_store_faults.py::test_nothing_begins_on_the_reserve_but_what_began_can_end",
        ),
    ),
    Plant(
        "not-synced",
        "the power fails after a fill, and its record was only in the memory of the computer",
        "gatewayd/store/database.py",
        old='        connection.execute("PRAGMA synchronous = FULL")\n',
        new='        connection.execute("PRAGMA synchronous = OFF")\n',
        tests=("tests/store/test_store_faults.py::test_a_commit_waits_for_the_disk_itself",),
    ),
    Plant(
        "half-a-job-stays",
        "a write that failed in the middle leaves its first half: a permit ended without a record",
        WRITER,
        old='            self._connection.execute("ROLLBACK TO job; RELEASE job")\n',
        new='            self._connection.execute("RELEASE job")\n',
        tests=(
            "tests/store/test_store_faults.py::test_a_job_that_fails_half_way_leaves_nothing_of_itself",
        ),
    ),
    Plant(
        "lose-the-ballast",
        "the disk is full in mid-fill, and the end of that fill has no room to be written",
        WRITER,
        old="        if not full or self._ballast is None or not self._ballast.release():\n",
        new="        if not full or self._ballast is None or len(full) > 0:\n",
        tests=(
            "tests/store/test_store_room.py::test_on_a_full_disk_what_began_ends_and_nothing_begins",
        ),
    ),
    Plant(
        "healthy-when-full",
        "a store without room counts as well, and the rigs go on",
        WRITER,
        old="        self.healthy = self._room and failed is None\n",
        new="        self.healthy = failed is None\n",
        tests=(
            "tests/store/test_store_faults.py::test_a_full_store_says_so_and_recovers_when_there_is_room",
        ),
    ),
    Plant(
        "shed-what-counts",
        "short of room, the ids of requests still alive go: an unlock is carried out a second time",
        "gatewayd/store/upkeep.py",
        old='    ("requests", "DELETE FROM requests WHERE kept_until < :now"),\n',
        new='    ("requests", "DELETE FROM requests WHERE kept_until <> :now"),\n',
        tests=("tests/store/test_store_room.py::test_what_is_shed_counts_for_nothing_any_more",),
        simulated=False,
    ),
    Plant(
        "prune-what-nobody-has",
        "old records go although the supervising platform never took them",
        "gatewayd/store/pruning.py",
        old=" or (taken is not None and sequence > taken):\n",
        new=":\n",
        tests=(
            "tests/store/test_store_retention.py::test_nothing_goes_that_one_configured_platform_lacks",
        ),
        simulated=False,
    ),
    Plant(
        "clock-ahead-makes-old",
        "a start with a clock ten years ahead deletes every record of the station",
        "gatewayd/store/pruning.py",
        old="    before = _come_to(connection, rule) - timedelta(days=rule.keep_days)\n",
        new="    before = rule.now - timedelta(days=rule.keep_days)\n",
        tests=(
            "tests/store/test_store_retention.py::test_a_start_with_a_clock_years_ahead_makes_nothing_old",
        ),
        simulated=False,
    ),
    Plant(
        "restore-passes-what-failed",
        "a restore makes a cylinder pass whose check has failed since the backup",
        "gatewayd/store/restoring.py",
        old='    "checks": carry.GROUPS["checks"],\n',
        new="",
        tests=(
            "tests/store/test_store_backup.py::test_a_restore_lets_no_check_pass_that_has_failed_since",
        ),
        simulated=False,
    ),
    Plant(
        "chain-not-linked",
        "a record can be taken out of the chain, and nothing shows it",
        "gatewayd/store/chain.py",
        old='        "prevhash": head.hash,\n',
        new='        "prevhash": FIRST_PREVHASH,\n',
        tests=("tests/store/test_store_records.py::test_every_record_names_the_hash_before_it",),
    ),
    Plant(
        "changed-record-passes",
        "somebody edits the mass of a fill in the file, and `records verify` says it is sound",
        "gatewayd/store/chain.py",
        old='    if envelope.get("hash") != digest:\n',
        new='    if len(str(envelope.get("hash"))) != len(digest):\n',
        tests=(
            "tests/store/test_store_records.py::test_no_changed_byte_of_a_record_goes_unnoticed",
        ),
        simulated=False,
    ),
    Plant(
        "damage-not-looked-for",
        "a damaged store is opened, and the first fill of the day finds it out",
        "gatewayd/store/checking.py",
        old='    if found != "ok":\n',
        new='    if found == "":\n',
        tests=(
            "tests/store/test_store_damage.py::test_damage_of_every_kind_of_page_is_survived_and_told",
        ),
    ),
    Plant(
        "cursor-goes-back",
        "an upstream's place in the records jumps back, and records are sent for ever",
        WRITES,
        old='"acknowledged_at = excluded.acknowledged_at, sequence = max(sequence, excluded.sequence)",',
        new='"acknowledged_at = excluded.acknowledged_at, sequence = excluded.sequence",',
        tests=("tests/store/test_store_records.py::test_a_cursor_never_moves_back",),
    ),
    Plant(
        "taken-before-it-was",
        "records count as delivered when they are sent: what the platform refused is never seen",
        "gatewayd/upstreams/offers.py",
        old="        elif record.sequence not in outcome.accepted:\n            break\n",
        new="",
        tests=(
            "tests/upstreams/test_pump.py::test_whatever_the_platform_does_every_record_is_settled_in_order",
        ),
    ),
    Plant(
        "import-lifts-a-hold",
        "the next list from the office lets a cylinder be filled that the regulator holds",
        "gatewayd/store/merge.py",
        old="""        new["hold"] = f"coalesce({_HELD}, {new['hold']})"\n""",
        new="",
        tests=("tests/store/test_store_holds.py::test_no_import_ends_or_overrides_a_hold",),
        simulated=False,
    ),
    Plant(
        "import-forgets-what-came-meanwhile",
        "a hold or a fill that came while a big list was read is undone by it",
        "gatewayd/store/rebuild.py",
        old="            self._carry_over()\n",
        new="",
        tests=(
            "tests/store/test_store_imports.py::test_fills_go_on_while_a_large_import_is_built",
        ),
        simulated=False,
    ),
)
