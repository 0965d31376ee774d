"""When everything is healed and quiet: every gram and every record, against what really happened."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

from tests.histories.ledger import Known
from tests.soak.site import Site
from tests.soak.truth import Gas

AGREE_G = 20
"""Net and totaliser may differ by this on one fill without an alarm (contract §10)."""
_MISMATCH = re.compile(r"permit ([0-9]+): totaliser - net = (-?[0-9]+) g")


async def judge(site: Site, *, loss_allowed: bool = False) -> None:
    """Compare; what is broken goes to the tally. `loss_allowed`: the broker may have forgotten."""
    site.ledger.compare(site.store)
    for text in site.ledger.wrong:
        site.tally.say(text)
    _permits(site)
    for name in site.truths:
        _weigh(site, name)
    upstream(site.tally, site.ledger.records, site.ear.bodies, loss_allowed=loss_allowed)
    code, out, err = await site.daemon.say("records", "verify", "--json")
    if code != 0:
        site.tally.say(f"records verify ended with {code}: {out} {err}")
    _numbers(site)


def _permits(site: Site) -> None:
    """Each permit ended in one record."""
    records = Counter(
        record.data.get("permit_id") for record in site.ledger.records if record.kind == "fill"
    )
    for permit in site.ledger.permits.values():
        if permit.state == "pending":
            site.tally.say(f"{permit.rig}: permit {permit.permit_no} never ended")
        if records[permit.id] != 1:
            count = records[permit.id]
            site.tally.say(f"{permit.rig}: permit {permit.permit_no} has {count} records")
        if permit.decision != "allow":
            site.tally.say(f"{permit.rig}: permit {permit.permit_no} was {permit.decision}")


def _weigh(site: Site, rig: str) -> None:
    """The grams of each opening against the records of its permit, and of the rig altogether."""
    truth, tally = site.truths[rig], site.tally
    of_rig = [record for record in site.ledger.records if record.rig == rig]
    fills = [record.data for record in of_rig if record.kind == "fill"]
    alarmed = _alarmed(of_rig)
    net_g: Counter[int] = Counter()
    for fill in fills:
        net_g[fill["permit_no"] or 0] += fill["net_g"]
    by_permit: dict[int, list[Gas]] = defaultdict(list)
    for gas in truth.gas:
        by_permit[gas.permit_no].append(gas)
    unexplained_g, missed = 0.0, 0
    for number, openings in by_permit.items():
        _same_cylinder(site, rig, number, openings, fills)
        flowed_g = sum(gas.grams for gas in openings)
        apart_g = flowed_g - net_g[number] - alarmed[number]
        tally.at_most("record - plant, of one fill, largest (g)", abs(flowed_g - net_g[number]))
        if abs(apart_g) > AGREE_G:
            unexplained_g += apart_g
            missed += 1
    if abs(unexplained_g - net_g[0]) > AGREE_G * (missed + 1):
        left_g = round(unexplained_g - net_g[0])
        tally.say(f"{rig}: {left_g} g flowed that nobody recorded or alarmed")
    unpermitted = set(by_permit) - {
        p.permit_no for p in site.ledger.permits.values() if p.rig == rig
    }
    for number in unpermitted:
        tally.say(f"{rig}: gas flowed under permit {number}, which was never committed")
    tally.add("unauthorised records", sum(fill["outcome"] == "unauthorised" for fill in fills))
    tally.add("grams in them", net_g[0])
    tally.add("totaliser alarms", len(alarmed))
    tally.add("grams that flowed (plant)", round(truth.rig.plant.passed_g))
    tally.add("grams the PLC counted", truth.rig.plc.retained.total_g)
    tally.add("grams in records", sum(net_g.values()))


def _same_cylinder(
    site: Site, rig: str, number: int, openings: Iterable[Gas], fills: Iterable[dict[str, Any]]
) -> None:
    """The record names the cylinder that really stood there."""
    said = {fill["cylinder"]["code"] for fill in fills if fill["permit_no"] == number}
    stood = {gas.code for gas in openings}
    if said != stood:
        site.tally.say(f"{rig}: permit {number} filled {stood}, recorded {said}")


def _alarmed(records: Iterable[Known]) -> Counter[int]:
    """Grams by which alarms correct the record of a permit."""
    found: Counter[int] = Counter()
    for record in records:
        if record.kind == "alarm" and (match := _MISMATCH.search(str(record.data.get("detail")))):
            found[int(match[1])] = int(match[2])
    return found


def upstream(
    tally: Any, records: Iterable[Known], arrived: Iterable[str], *, loss_allowed: bool = False
) -> None:
    """Lost, changed, doubled, reordered: what the platform has against what was committed."""
    committed = {record.id: record for record in records}
    first: dict[str, str] = {}
    copies = 0
    last: dict[str, int] = {}
    for body in arrived:
        known = json.loads(body)
        if known["id"] in first:
            copies += 1
            if first[known["id"]] != body:
                tally.say(f"record {known['sequence']} came again with another body")
            continue
        first[known["id"]] = body
        record = committed.get(known["id"])
        if record is None:
            tally.say(f"record {known['sequence']} was delivered and is not in the store")
        elif record.body != body:
            tally.say(f"record {known['sequence']} was delivered otherwise than it is stored")
        elif record.kind != "alarm":  # Alarms may overtake a backlog.
            if record.sequence < last.get(record.rig, 0):
                tally.say(f"{record.rig}: record {record.sequence} came out of order")
            last[record.rig] = record.sequence
    lost = len(committed.keys() - first.keys())
    if lost and not loss_allowed:
        tally.say(f"{lost} records never reached the platform")
    tally.add("records", len(committed))
    tally.add("records lost upstream", lost, promise="" if loss_allowed else "0")
    tally.add("copies upstream, same id and body", copies)


def _numbers(site: Site) -> None:
    tally, lease = site.tally, site.spec.lease_ms
    for truth in site.truths.values():
        tally.add("openings of valves", len(truth.gas))
        tally.times(
            f"valve open after a death, lease {lease} ms",
            truth.after_death_ms,
            promise=f"<= {lease} ms",
        )
        tally.at_most(
            f"lease silent while gas flows, longest, lease {lease} ms (ms)",
            truth.silent_ms_max,
            promise=f"<= {lease}",
        )
    outcomes = Counter(r.data["outcome"] for r in site.ledger.records if r.kind == "fill")
    for outcome, count in sorted(outcomes.items()):
        tally.add(f"fills {outcome}", count)
    lines = [line for line in site.daemon.log().splitlines() if "Traceback" in line]
    bugs = [
        line for line in lines if "StoreError" not in line
    ]  # A full disk is told with its place.
    tally.add("tracebacks in the daemon's log", len(bugs), promise="0")
    if bugs:
        tally.say(f"the daemon's log has a traceback: {bugs[0][:1500]}")
