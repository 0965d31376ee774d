"""Shared by every test: nothing here patches anything of ours."""

from hypothesis import settings

# A shared machine stalls for longer than any sensible deadline; each test bounds its own work.
settings.register_profile("gatewayd", deadline=None, print_blob=True)
settings.load_profile("gatewayd")
