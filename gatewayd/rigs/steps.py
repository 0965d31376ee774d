"""The two moves that every part of the machine shares: enter a phase, forget a cylinder."""

from dataclasses import replace
from typing import TypeAlias

from gatewayd.rigs.model import NOBODY, Phase, State
from gatewayd.rigs.moves import (
    Effect,
)

RELOCK_MS = 200
"""How often permit 0 is written again while the gate does not show closed."""

Step: TypeAlias = tuple[State, tuple[Effect, ...]]


def enter(state: State, phase: Phase, fault: str = "") -> State:
    """The same state in `phase`; `fault` names what is wrong, empty outside FAULT."""
    if phase is state.phase and fault == state.fault:
        return state
    return replace(state, phase=phase, fault=fault)


def forget(state: State) -> State:
    """No cylinder: nothing of the last one may name the next. `served` stays: numbers only grow."""
    if state.presence == 0 and state.identity is NOBODY:
        return state
    return replace(state, identity=NOBODY, verdict=None, findings=(), presence=0)
