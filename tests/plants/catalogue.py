"""Every plant, in the order in which they are tried."""

from tests.plants import at_the_gate, at_the_rig, at_the_station, in_the_store
from tests.plants.plant import Plant

PLANTS: tuple[Plant, ...] = (
    *at_the_gate.PLANTS,
    *at_the_rig.PLANTS,
    *in_the_store.PLANTS,
    *at_the_station.PLANTS,
)
