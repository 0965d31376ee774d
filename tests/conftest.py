"""Shared by every test: nothing here patches anything of ours."""
