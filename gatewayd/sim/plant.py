"""The physical side of a filling rig: a valve, gas in flight, a cylinder on a scale that settles.

Pure and seeded: nothing moves but by `step`. The plant keeps its own truth, the grams that really
went into each cylinder, so that a test can compare what the system claims with what happened.
"""

import math
import random
from collections import deque
from dataclasses import dataclass

UINT32 = 0xFFFF_FFFF


@dataclass(frozen=True, slots=True)
class PlantSpec:
    """A filling position with an LPG hose; real-time physics, a speed factor is applied outside.

    Flows in g/s, masses in g, times in seconds. `noise_g` is the standard deviation of one
    weight sample; the scale calls itself stable when samples over `window_s` (and at least
    `window_samples`) lie within `band_g`.
    """

    coarse_g_s: float = 250.0
    fine_g_s: float = 40.0
    ramp_s: float = 0.25
    in_flight_s: float = 0.3
    scale_tau_s: float = 0.2
    noise_g: float = 1.5
    window_s: float = 0.8
    window_samples: int = 8
    band_g: float = 12.0
    knock_g: float = 900.0
    knock_s: float = 0.4


@dataclass(slots=True)
class Load:
    """A cylinder as it really is: empty steel and what is in it, grams."""

    code: str
    steel_g: float
    content_g: float = 0.0

    @property
    def mass_g(self) -> float:
        """What a perfect scale would show."""
        return self.steel_g + self.content_g


class Plant:
    """One rig's hose, valve and scale.

    `delivered_g` is the truth by cylinder code; `vented_g` is gas that found no cylinder;
    `passed_g` is all gas that passed the valve. At any time passed = delivered + vented + in
    flight. `beside` stands on the scale, too, and no hose is at it. Faults: `stuck_open` (the valve leaks at fine flow whatever it is told), `jump_g`
    (added to every weight sample), `stuck_scale` (the display stands still).
    """

    def __init__(self, spec: PlantSpec | None = None, *, seed: int = 0) -> None:
        self.spec = spec or PlantSpec()
        self.load: Load | None = None
        self.beside: Load | None = None
        self.delivered_g: dict[str, float] = {}
        self.vented_g = 0.0
        self.passed_g = 0.0
        self.in_flight_g = 0.0
        self.stuck_open = False
        self.jump_g = 0
        self.stuck_scale = False
        self.gross_g = 0
        self.stable = False
        self._random = random.Random(seed)
        self._flow_g_s = 0.0
        self._shown_g = 0.0
        self._knock_g = 0.0
        self._window: deque[tuple[float, float]] = deque(maxlen=4096)
        self._at_s = 0.0

    @property
    def meter_g(self) -> int:
        """The free-running uint32 count of a mass flow meter at the valve."""
        return math.floor(self.passed_g) & UINT32

    @property
    def valve_is_open(self) -> bool:
        """The limit switch: the valve passes gas."""
        return self._flow_g_s > 0

    def put_on(self, load: Load) -> None:
        """A person puts a cylinder on the scale, with a knock."""
        assert self.load is None, f"{self.load} is still on the scale"
        self.load = load
        self._knock_g = self.spec.knock_g

    def put_beside(self, load: Load) -> None:
        """A second cylinder is put on before the first one is taken off."""
        assert self.beside is None, f"{self.beside} stands there, too"
        self.beside = load
        self._knock_g = self.spec.knock_g

    def change_over(self) -> None:
        """The first cylinder leaves, and the hose goes to the one that stood beside it."""
        assert self.beside is not None, "nobody stands beside it"
        self.load, self.beside = self.beside, None

    def take_off(self) -> Load | None:
        """The cylinder leaves; gas still in flight will find nobody."""
        load, self.load = self.load, None
        self._knock_g = 0.0
        return load

    def step(self, dt_s: float, *, main: bool, coarse: bool) -> None:
        """Move on by `dt_s` seconds of plant time with the valve commanded so."""
        assert dt_s >= 0, dt_s
        if dt_s == 0:
            return
        self._at_s += dt_s
        self._flow(dt_s, main=main, coarse=coarse)
        self._weigh(dt_s)

    def _flow(self, dt_s: float, *, main: bool, coarse: bool) -> None:
        """The flow ramps linearly to what the valve allows and stops dead when it closes."""
        spec = self.spec
        wanted = 0.0
        if main:
            wanted = spec.coarse_g_s if coarse else spec.fine_g_s
        elif self.stuck_open:
            wanted = spec.fine_g_s
        rise = spec.coarse_g_s * dt_s / spec.ramp_s
        self._flow_g_s = min(wanted, self._flow_g_s + rise)
        passed_g = self._flow_g_s * dt_s
        self.passed_g += passed_g
        self.in_flight_g += passed_g
        arrived_g = self.in_flight_g * (1 - math.exp(-dt_s / spec.in_flight_s))
        self.in_flight_g -= arrived_g
        if self.load is None:
            self.vented_g += arrived_g
            return
        self.load.content_g += arrived_g
        code = self.load.code
        self.delivered_g[code] = self.delivered_g.get(code, 0.0) + arrived_g

    def _weigh(self, dt_s: float) -> None:
        """A low-pass filter between the load and the display, then noise."""
        if self.stuck_scale:
            return
        spec = self.spec
        self._knock_g *= math.exp(-dt_s / spec.knock_s)
        load_g = sum(load.mass_g for load in (self.load, self.beside) if load is not None)
        share = 1 - math.exp(-dt_s / spec.scale_tau_s)
        self._shown_g += (load_g + self._knock_g - self._shown_g) * share
        sample_g = self._shown_g + self._random.gauss(0.0, spec.noise_g) + self.jump_g
        self.gross_g = round(sample_g)
        self._window.append((self._at_s, sample_g))
        self.stable = self._is_stable()

    def _is_stable(self) -> bool:
        spec, window = self.spec, self._window
        enough = self._at_s - spec.window_s
        while len(window) > spec.window_samples and window[1][0] <= enough:
            window.popleft()
        if len(window) < spec.window_samples or window[0][0] > enough:
            return False
        weights = [weight for _, weight in window]
        return max(weights) - min(weights) <= spec.band_g
