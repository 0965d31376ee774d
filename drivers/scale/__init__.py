"""Scales that are not a gate themselves: their weights as `WeightSample`."""
