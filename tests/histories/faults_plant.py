"""Faults of scales, valves and tags."""

from typing import TYPE_CHECKING

from tests.histories.faults import Fault, fault, undo_later

if TYPE_CHECKING:
    from tests.histories.world import World


@fault("scale.jump")
def _jump(world: "World", fault: Fault) -> str:
    plant = world.rigs[fault.rig].plant
    rng = fault.rng()
    jump_g = rng.choice((-1, 1)) * rng.choice((15, 60, 300, 1500, 9000))
    plant.jump_g += jump_g
    seconds = fault.scaled(0.05, 6)
    undo_later(world, seconds, lambda: setattr(plant, "jump_g", 0), "the scale is right again")
    return f"the scale shows {jump_g:+} g for {seconds:.2f} s"


@fault("scale.drift")
def _drift(world: "World", fault: Fault) -> str:
    plant = world.rigs[fault.rig].plant
    rng = fault.rng()
    step_g, steps = rng.choice((-4, -1, 1, 4)), 1 + round(fault.scaled(0, 60))

    def drift(left: int) -> None:
        plant.jump_g = plant.jump_g + step_g if left else 0
        if left:
            world.ground.after(0.1, drift, left - 1)

    drift(steps)
    return f"the scale drifts by {step_g} g each 0.1 s, {steps} times"


@fault("scale.stuck")
def _stuck(world: "World", fault: Fault) -> str:
    plant = world.rigs[fault.rig].plant
    plant.stuck_scale = True
    seconds = fault.scaled(0.1, 4)
    undo_later(
        world, seconds, lambda: setattr(plant, "stuck_scale", False), "the scale moves again"
    )
    return f"the scale stands still for {seconds:.2f} s"


@fault("valve.leaks")
def _leaks(world: "World", fault: Fault) -> str:
    plant = world.rigs[fault.rig].plant
    plant.stuck_open = True
    seconds = fault.scaled(0.1, 6)
    undo_later(
        world, seconds, lambda: setattr(plant, "stuck_open", False), "the valve is tight again"
    )
    return f"the valve leaks for {seconds:.2f} s"


@fault("tag.lost")
def _tag_lost(world: "World", fault: Fault) -> str:
    rig = world.rigs[fault.rig]
    if rig.cylinder is None:
        return ""
    cylinder, seconds = rig.cylinder, fault.scaled(0.3, 8)
    rig.reader.tag_out(cylinder.epc)

    def back() -> None:
        if rig.cylinder is cylinder:
            rig.reader.tag_in(cylinder.epc)

    undo_later(world, seconds, back, "the tag is seen again")
    return f"the tag is shadowed for {seconds:.2f} s"


@fault("tag.second")
def _tag_second(world: "World", fault: Fault) -> str:
    rig, rng = world.rigs[fault.rig], fault.rng()
    other = rng.choice(world.fleet.legal)
    if rig.cylinder is other:
        return ""
    rig.reader.tag_in(other.epc)
    seconds = fault.scaled(0.1, 5)
    undo_later(world, seconds, lambda: rig.reader.tag_out(other.epc), "the second tag is gone")
    return f"another cylinder's tag is in the field for {seconds:.2f} s"


@fault("tag.swapped")
def _tag_swapped(world: "World", fault: Fault) -> str:
    rig, rng = world.rigs[fault.rig], fault.rng()
    if rig.cylinder is None:
        return ""
    other = rng.choice(world.fleet.illegal)
    rig.reader.tag_out(rig.cylinder.epc)
    rig.reader.tag_in(other.epc)
    seconds = fault.scaled(0.5, 6)
    undo_later(world, seconds, lambda: rig.reader.tag_out(other.epc), "that tag is gone")
    return f"instead of its tag the reader sees that of a bad cylinder for {seconds:.2f} s"


@fault("reader.storm")
def _storm(world: "World", fault: Fault) -> str:
    reader = world.rigs[fault.rig].reader
    reader.faults.copies = 20
    seconds = fault.scaled(0.2, 3)
    undo_later(
        world, seconds, lambda: setattr(reader.faults, "copies", 1), "the read storm is over"
    )
    return f"every tag is reported 20 times a round for {seconds:.2f} s"
