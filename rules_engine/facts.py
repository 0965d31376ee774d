"""Placeholder to be replaced by the rules room: every variable a rule may read."""

MEDIA = frozenset({"LPG", "O2", "N2", "AR", "CO2", "C2H2", "H2", "HE", "NH3", "CL2", "AIR", "CNG"})
