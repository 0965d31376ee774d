"""Requests of platforms, whatever carries them: checked, carried out once, recorded, answered."""
