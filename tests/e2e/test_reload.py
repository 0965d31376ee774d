"""A configuration that changes under the running daemon: SIGHUP, files, real devices, one process."""

import asyncio
import json
import signal
from pathlib import Path
from typing import Any

import pytest

from gatewayd.sim.gate_map import Status
from gatewayd.sim.rig import SimRig
from gatewayd.sim.wires import TcpWire
from gatewayd.store.reads import Reader
from tests.e2e.house import House, started
from tests.support.waiting import until

pytestmark = pytest.mark.e2e

SLOW = 4.0
AGREE_G = 20
DENIES = """\
# yaml-language-server: $schema=../schema/rulepack.schema.json
id: site
version: 1.0.0
title: {zh: 现场, en: site}
basis: the site
rules:
  - id: closed
    code: NOT_ENABLED
    severity: SEVERITY
    stage: permit
    when: station.id != ''
    message: {zh: 今日停充, en: closed today}
    basis: {document: the site}
    verified: true
    examples: [{facts: {station.id: '1'}, expect: hold}]
"""
OPEN, CLOSED = DENIES.replace("SEVERITY", "observe"), DENIES.replace("SEVERITY", "deny")
MANUAL = "\nreload: {watch: false}\n"


def with_site_pack(config: Path) -> None:
    (config / "rules").mkdir()
    (config / "rules" / "site.yaml").write_text(OPEN)
    for path in (config / "rigs").iterdir():
        path.write_text(path.read_text().replace("- cn-lpg", "- cn-lpg\n    - site"))
    by_hand(config)


def by_hand(config: Path) -> None:
    """Only SIGHUP reads the files again."""
    path = config / "gateway.yaml"
    path.write_text(path.read_text() + MANUAL)


def change(house: House, name: str, old: str, new: str) -> None:
    path = house.config / name
    text = path.read_text()
    assert old in text, (old, text)
    path.write_text(text.replace(old, new))


async def reload(house: House, state: str, **values: Any) -> dict[str, Any]:
    """SIGHUP, and wait until the daemon says what became of it."""
    before = house.newest("config").get("since")
    house.daemon.send(signal.SIGHUP)
    await told(house, state, unlike=before, **values)
    return house.newest("config")


async def told(house: House, state: str, *, unlike: str | None = None, **values: Any) -> None:
    def holds() -> bool:
        now = house.newest("config")
        same = all(now.get(key) == value for key, value in values.items())
        return now.get("state") == state and same and now["since"] != unlike

    await house.until(holds)


async def take_away(rig: SimRig) -> None:
    """Away long enough for two polls: nobody swaps cylinders faster than that."""
    rig.take_away()
    await until(lambda: Status.CYLINDER_ON not in rig.plc.status)
    asked = rig.plc.slave.requests
    await until(lambda: rig.plc.slave.requests >= asked + 2)


def alarms(house: House) -> list[tuple[str, str]]:
    """What was recorded of alarms: kind and action."""
    found = [record["data"] for record in house.stored() if record["type"] == "gatewayd.alarm.v1"]
    return [(each["code"], each["action"]) for each in found]


async def test_a_pack_decides_as_soon_as_it_is_good_and_the_last_good_one_for_as_long_as_it_is_not(
    tmp_path: Path,
) -> None:
    async with House(tmp_path, edit=with_site_pack, speed=40.0) as house:
        rig = house.station.rigs[0]
        pack = house.config / "rules" / "site.yaml"
        hash_before = {p["id"]: p["hash"] for p in house.newest("info")["packs"]}["site"]

        pack.write_text(CLOSED)
        house.daemon.send(signal.SIGHUP)
        await house.until(
            lambda: (
                {p["id"]: p["hash"] for p in house.newest("info")["packs"]}["site"] != hash_before
            )
        )
        rig.bring(house.legal[0])
        await house.until(lambda: len(house.refusals()) == 1)

        pack.write_text(CLOSED.replace("station.id !=", "station.idd !="))
        said = await reload(house, "invalid")
        (problem,) = said["problems"][:1]
        assert problem["file"].endswith("rules/site.yaml")
        assert problem["line"] == 11
        assert "今日停充" not in said["message"]["zh"]
        assert "没有" not in said["message"]["zh"]
        await until(lambda: ("pack_failed", "raised") in alarms(house))
        rig.take_away()
        await house.rig_state(rig.name, "locked")
        rig.bring(house.legal[1])
        await house.until(lambda: len(house.refusals()) == 2)

        assert await house.daemon.stop() == 0
        await house.daemon.start()
        await told(house, "packs")
        rig.take_away()
        await house.rig_state(rig.name, "locked")
        rig.bring(house.legal[2])
        await house.until(lambda: len(house.refusals()) == 3)
        for refusal in house.refusals():
            (finding,) = refusal["verdict"]["findings"]
            assert finding["rule"] == "site.closed"

        assert await house.daemon.stop() == 0
        pack.write_text(OPEN)
        await house.daemon.start()
        await told(house, "applied")
        await until(lambda: ("pack_failed", "cleared") in alarms(house))
        rig.take_away()
        await house.rig_state(rig.name, "locked")
        rig.bring(house.legal[3])
        await house.rig_state(rig.name, "permitted")


async def test_a_bad_pack_that_was_never_good_denies_everything(tmp_path: Path) -> None:
    async with House(tmp_path, edit=with_site_pack, start=False) as house:
        bad = OPEN.replace("station.id !=", "nothing !=")
        (house.config / "rules" / "site.yaml").write_text(bad)
        await house.daemon.start()
        await house.ready()
        house.station.rigs[0].bring(house.legal[0])
        await house.until(lambda: len(house.refusals()) == 1)
        (finding,) = house.refusals()[0]["verdict"]["findings"]
        assert (finding["code"], finding["rule"]) == ("RULE_BROKEN", "site.withheld")


async def test_what_changes_is_exchanged_and_what_stays_keeps_its_connection(
    tmp_path: Path,
) -> None:
    async with House(tmp_path, rigs=3, edit=by_hand) as house:
        one, _, three = house.station.rigs
        wires = [one.reader_wire, three.plc_wire, three.reader_wire]
        assert all(isinstance(wire, TcpWire) for wire in wires)
        before = [wire.lines for wire in wires]
        plc_before = one.plc_wire.lines
        change(house, "devices/rig-1.yaml", "poll_ms: 100", "poll_ms: 120")
        await reload(house, "applied")
        await house.until(lambda: one.plc_wire.lines not in ((), plc_before))
        assert [wire.lines for wire in wires] == before
        (event,) = house.daemon.events("reload.exchanged")
        assert (event["devices"], event["rigs"]) == (["rig-1-plc"], ["rig-1"])
        await house.fill(house.legal[0])


async def test_a_fill_ends_and_is_recorded_before_its_rig_is_exchanged(tmp_path: Path) -> None:
    async with House(tmp_path, rigs=3, edit=by_hand, speed=SLOW) as house:
        one = house.station.rigs[0]
        await house.fill(house.legal[0])
        for name in ("rig-1", "rig-3"):
            change(house, f"devices/{name}.yaml", "poll_ms: 100", "poll_ms: 120")
        await reload(house, "waiting", waiting=["rig-1"])
        assert [e["rigs"] for e in house.daemon.events("reload.exchanged")] == [["rig-3"]]
        assert one.plc.valve_open
        code, out, _ = await house.daemon.say("config", "plan", "--json")
        plan = json.loads(out)
        assert (code, plan["running"], plan["waiting"]) == (0, True, ["rig-1"])
        assert [each["part"] for each in plan["changes"]] == ["devices/rig-1-plc"]
        await told(house, "applied", waiting=[])
        (fill,) = house.fills()
        assert fill["outcome"] == "completed"
        assert fill["net_g"] == pytest.approx(one.plc.retained.total_g, abs=AGREE_G)
        code, out, _ = await house.daemon.say("config", "plan", "--json")
        assert (code, json.loads(out)["changes"]) == (0, [])
        assert house.stored()[-1]["type"] == "gatewayd.fill.v1", "no alarm, no second judgement"


async def test_an_invalid_configuration_changes_nothing_and_says_so(tmp_path: Path) -> None:
    async with House(tmp_path, edit=by_hand, speed=SLOW) as house:
        await house.fill(house.legal[0])
        change(house, "devices/rig-1.yaml", "poll_ms: 100", "poll_ms: 120\n    pol_ms: 100")
        said = await reload(house, "invalid", waiting=[])
        assert "pol_ms" in said["problems"][0]["what"]
        assert said["problems"][0]["line"] > 1
        assert set(said["message"]) == {"zh", "en"}
        house.daemon.send(signal.SIGHUP)
        code, out, err = await house.daemon.say("config", "plan")
        assert (code, out) == (1, "")
        assert "pol_ms" in err
        await house.until(lambda: len(house.fills()) == 1)
        assert house.fills()[0]["outcome"] == "completed"
        await until(lambda: ("config_invalid", "raised") in alarms(house))
        assert len(house.daemon.events("config.not_taken_up")) == 1, "told once"


async def test_files_are_watched_and_a_half_written_one_is_waited_for(tmp_path: Path) -> None:
    async with House(tmp_path) as house:
        path = house.config / "devices" / "rig-1.yaml"
        text = path.read_text().replace("poll_ms: 100", "poll_ms: 120")
        for end in range(0, len(text), max(1, len(text) // 20)):
            path.write_text(text[:end])
            await asyncio.sleep(0.05)  # as an editor that is slow to write
        path.write_text(text)
        await until(lambda: len(house.daemon.events("reload.exchanged")) == 1)
        assert house.daemon.events("config.not_taken_up") == []


async def test_upstreams_come_and_go_without_touching_records(tmp_path: Path) -> None:
    async with House(tmp_path, edit=by_hand, speed=40.0) as house:
        gateway = house.config / "gateway.yaml"
        text = gateway.read_text()
        await house.fill(house.legal[0])
        await house.until(lambda: len(house.fills()) == 1)
        (tmp_path / "stick").mkdir()
        more = f"  stick: {{driver: files, directory: {tmp_path / 'stick'}}}\n"
        gateway.write_text(text.replace("upstreams:\n", "upstreams:\n" + more))
        await reload(house, "applied")
        await until(lambda: any((tmp_path / "stick").iterdir()))
        gateway.write_text(text.replace("  platform:", "  other:"))
        house.daemon.send(signal.SIGHUP)
        await until(lambda: len(house.daemon.events("upstream.up")) == 3)
        gateway.write_text(text)
        house.daemon.send(signal.SIGHUP)
        await until(lambda: len(house.daemon.events("upstream.up")) == 4)
        with Reader.open(house.config / "gatewayd.db") as store:
            last = store.last_sequence()
            await until(lambda: store.cursor("platform") == last)
            assert store.cursor("stick") >= 1
        assert [r["sequence"] for r in house.stored()] == list(range(1, last + 1))


async def test_a_removed_rig_goes_and_its_topics_with_it(tmp_path: Path) -> None:
    async with House(tmp_path, rigs=2, edit=by_hand) as house:
        for folder in ("rigs", "devices"):
            (house.config / folder / "rig-2.yaml").unlink()
        await reload(house, "applied")
        await house.until(lambda: house.newest("rigs/rig-2/state") == {})
        assert house.newest("devices/rig-2-plc/status") == {}
        assert sorted(house.newest("info")["rigs"]) == ["rig-1"]


async def test_a_rig_whose_permit_cannot_be_settled_is_not_removed(tmp_path: Path) -> None:
    async with House(tmp_path, rigs=2, edit=by_hand, speed=SLOW) as house:
        rig = house.station.rigs[0]
        await house.fill(house.legal[0])
        rig.plc_wire.unplug()
        await house.rig_state(rig.name, "fault")
        for folder in ("rigs", "devices"):
            (house.config / folder / "rig-1.yaml").rename(house.config / f"rig-1.{folder}")
        said = await reload(house, "refused")
        assert "rig-1" in said["message"]["en"]
        await rig.plc_wire.plug()
        await house.until(lambda: len(house.fills()) == 1)
        await reload(house, "applied")
        assert sorted(house.newest("info")["rigs"]) == ["rig-2"]
        assert len(house.fills()) == 1


async def test_what_needs_a_restart_is_said_and_the_rest_is_applied(tmp_path: Path) -> None:
    async with House(tmp_path, edit=by_hand) as house:
        change(house, "gateway.yaml", "path: gatewayd.db", "path: other.db")
        change(house, "gateway.yaml", "济南示范充装站", "新名")
        said = await reload(house, "applied", restart=["store.path"])
        assert "store.path" in said["message"]["zh"]
        assert house.newest("info")["station"]["name"] == "新名"
        assert not (house.config / "other.db").exists()


async def test_a_permit_nobody_started_is_judged_anew_under_the_new_configuration(
    tmp_path: Path,
) -> None:
    async with House(tmp_path, edit=by_hand) as house:
        rig = house.station.rigs[0]
        rig.bring(house.legal[0])
        await house.rig_state(rig.name, "permitted")
        change(house, "rigs/rig-1.yaml", "medium: LPG", "medium: LPG\n    nominal_g: 5000")
        await reload(house, "applied")
        await house.until(
            lambda: 0 < (house.newest("rigs/rig-1/state").get("target_g") or 0) <= 5000
        )
        assert [(f["outcome"], f["end_reason"]) for f in house.fills()] == [
            ("not_started", "config_changed")
        ]
        await started(rig)
        await house.until(lambda: len(house.fills()) == 2)
        assert house.fills()[1]["net_g"] == pytest.approx(rig.plc.retained.total_g, abs=AGREE_G)


async def test_a_change_that_is_taken_back_while_it_waits_never_happens(tmp_path: Path) -> None:
    async with House(tmp_path, edit=by_hand, speed=SLOW) as house:
        rig = house.station.rigs[0]
        await house.fill(house.legal[0])
        change(house, "devices/rig-1.yaml", "poll_ms: 100", "poll_ms: 120")
        await reload(house, "waiting", waiting=["rig-1"])
        change(house, "devices/rig-1.yaml", "poll_ms: 120", "poll_ms: 100")
        await reload(house, "applied", waiting=[])
        assert rig.plc.valve_open
        await house.until(lambda: len(house.fills()) == 1)
        await take_away(rig)
        await house.fill(house.legal[1])
        assert house.daemon.events("reload.exchanged") == []


async def test_readers_move_between_rigs_without_losing_their_connection(tmp_path: Path) -> None:
    async with House(tmp_path, rigs=3, edit=by_hand) as house:
        one, _, three = house.station.rigs
        wires = [w for rig in (one, three) for w in rig.wires if isinstance(w, TcpWire)]
        before = [wire.lines for wire in wires]
        for here, there in (("rig-1", "rig-3"), ("rig-3", "rig-1")):
            change(house, f"rigs/{here}.yaml", f"device: {here}-gun", f"device: {there}-gun")
        await reload(house, "applied")
        assert [wire.lines for wire in wires] == before
        (event,) = house.daemon.events("reload.exchanged")
        assert (event["devices"], event["rigs"]) == ([], ["rig-1", "rig-3"])
        three.bring(house.legal[0], show_tag=False)
        one.reader.tag_in(house.legal[0].epc)
        await house.rig_state("rig-3", "permitted")
