"""Typed, frozen settings and the strict loader that fills them from the config directory."""
