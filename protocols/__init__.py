"""Bytes to values and back, pure: no clock, no socket, no file."""
