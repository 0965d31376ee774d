"""Identities carried by tags and printed codes."""
