"""Random walks over everything that can happen to a gate: it never lets gas flow in doubt."""

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewayd.sim.gate_map import End, Status
from gatewayd.sim.plant import Load
from tests.sim.gate_bench import SETTINGS, Bench, make_bench

LEASE_MS = 400
STEPS = 120
ACTIONS = (
    *("renew", "renew", "renew", "wait", "wait", "start", "start", "permit", "permit"),
    *("same", "withdraw", "lease_ms_0", "put_on", "put_on", "take_off", "e_stop", "scale", "stop"),
    *("long_wait", "power", "jump", "renewing"),
)


class Watch:
    """What must hold after every scan, judged from the plant and the wires alone."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.finished: set[int] = set()
        self.moved_ms = -(10**9)
        self.lease_was = bench.command[1]
        self.held_was = 0
        self.newest = 0

    def power_lost(self) -> None:
        self.moved_ms = -(10**9)
        self.lease_was = 0
        self.finished |= {self.held_was} - {0}
        self.held_was = 0

    def scan(self) -> None:
        bench = self.bench
        bench.scan()
        if bench.command[1] != self.lease_was:
            self.lease_was = bench.command[1]
            self.moved_ms = bench.at_ms
        echo = bench.register(101)
        if echo:
            self.check_permitted(echo)
        if self.held_was and echo != self.held_was:
            self.finished.add(self.held_was)
        self.held_was = echo
        if bench.out.valve_main:
            assert echo, "the valve is open and nothing permits it"
            self.check_masses()
        assert not bench.out.valve_coarse or bench.out.valve_main
        assert (Status.FILLING in bench.status) == bench.out.valve_main

    def check_permitted(self, echo: int) -> None:
        bench = self.bench
        assert echo == bench.command[0]
        assert echo not in self.finished, f"{echo} opened again"
        assert bench.command[6] > 0
        assert bench.at_ms - self.moved_ms < bench.command[6]
        assert bench.wiring.e_stop_ok
        assert bench.wiring.scale_ok
        assert bench.plant.gross_g >= SETTINGS.cylinder_on_g

    def check_masses(self) -> None:
        bench = self.bench
        limit_g = bench.command[4] << 16 | bench.command[5]
        assert bench.plant.gross_g < limit_g, "open at the limit"


def act(bench: Bench, watch: Watch, action: str, rng: random.Random) -> None:  # noqa: PLR0912 - a flat table of events
    wiring = bench.wiring
    if action == "renew":
        bench.renew()
    elif action == "renewing":
        bench.renewing = not bench.renewing
    elif action == "start":
        bench.wiring = replace(wiring, start_button=not wiring.start_button)
    elif action == "permit":
        watch.newest += rng.random() < 0.7 or watch.newest == 0
        if watch.newest != bench.command[0]:
            bench.renew()
            limit_g = max(0, bench.plant.gross_g) + rng.choice((2000, 3000))
            bench.command[2:7] = [0, 2500, limit_g >> 16, limit_g & 0xFFFF, LEASE_MS]
            bench.command[0] = watch.newest
    elif action == "withdraw":
        bench.command[0] = 0
    elif action == "lease_ms_0":
        bench.command[6] = 0
    elif action == "put_on" and bench.plant.load is None:
        bench.plant.put_on(Load(f"c{bench.at_ms}", 16_500))
    elif action == "take_off":
        bench.plant.take_off()
    elif action == "e_stop":
        bench.wiring = replace(wiring, e_stop_ok=not wiring.e_stop_ok)
    elif action == "scale":
        bench.wiring = replace(wiring, scale_ok=not wiring.scale_ok)
    elif action == "stop":
        bench.wiring = replace(wiring, stop_ok=not wiring.stop_ok)
    elif action == "mend":
        bench.plant.jump_g = 0
        bench.renewing = True
        bench.wiring = replace(
            wiring, e_stop_ok=True, scale_ok=True, stop_ok=True, start_button=False
        )
    elif action == "jump":
        bench.plant.jump_g = rng.choice((0, 0, 300, -700))
    elif action == "power":
        bench.power_cycle()
        watch.power_lost()
    for _ in range({"wait": 20, "long_wait": 120}.get(action, rng.randint(1, 6))):
        watch.scan()


def walk(name: str, seed: int, actions: list[str]) -> Bench:
    """Run the actions; the same seed gives the same world for either program."""
    bench, rng = make_bench(name, seed=seed), random.Random(seed)
    watch = Watch(bench)
    for action in actions:
        act(bench, watch, action, rng)
    plant = bench.plant
    held_g = sum(plant.delivered_g.values()) + plant.vented_g + plant.in_flight_g
    assert held_g == pytest.approx(plant.passed_g, abs=0.01), "gas is neither made nor lost"
    assert bench.mass(108) == pytest.approx(plant.passed_g, abs=2), "every gram is counted"
    return bench


@settings(max_examples=20)
@given(st.lists(st.sampled_from(ACTIONS), max_size=STEPS), st.integers(0, 2**16))
def test_no_gas_flows_in_doubt_and_every_gram_is_counted(actions: list[str], seed: int) -> None:
    walk("python", seed, actions)


def likely(seed: int) -> list[str]:
    """A walk that gets somewhere: mostly whole fills, with trouble thrown in."""
    rng = random.Random(seed)
    actions = []
    for _ in range(8):
        actions += ["mend", "put_on", "wait", "wait", "permit", "start"]
        actions += rng.sample(ACTIONS, 2)
        actions += ["wait", "long_wait"]
    return actions


def test_the_walks_reach_every_end() -> None:
    reached = set()
    for seed in range(30):
        bench, rng = make_bench(seed=seed), random.Random(seed)
        watch = Watch(bench)
        for action in likely(seed):
            act(bench, watch, action, rng)
            reached.add(End(bench.register(111)))
    assert reached >= set(End) - {End.TIMEOUT}, sorted(reached)


@pytest.mark.parametrize("seed", range(15))
def test_the_structured_text_and_the_simulated_program_are_one(seed: int) -> None:
    """Same world, same events: the same registers and valves after every single scan."""
    mine, shipped = make_bench("python", seed=seed), make_bench("structured text", seed=seed)
    rngs = random.Random(seed), random.Random(seed)
    watches = Watch(mine), Watch(shipped)
    for action in likely(seed):
        act(mine, watches[0], action, rngs[0])
        act(shipped, watches[1], action, rngs[1])
        assert mine.out == shipped.out, (action, mine.at_ms)
    assert mine.plant.passed_g == shipped.plant.passed_g
