"""Asks a platform before a fill whether it may be, within a deadline; the rigs go on meanwhile."""
