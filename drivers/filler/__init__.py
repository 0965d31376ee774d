"""Devices that weigh and fill by themselves, up to a target they are given."""
