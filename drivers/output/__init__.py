"""Outputs that hold a valve open while they are energised: I/O modules."""
