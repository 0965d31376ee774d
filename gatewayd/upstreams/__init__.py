"""Platforms that take records: batch in, outcome out; one file a kind."""
