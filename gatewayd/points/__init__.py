"""Scan points: places that are no rigs, where cylinders are scanned as they come, go or are kept."""
