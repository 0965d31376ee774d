"""Shifts: when one ends, and whether a rig's records and its totaliser agree about it."""
