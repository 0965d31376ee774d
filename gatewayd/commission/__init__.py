"""Finding and testing devices when a station is set up: what is plugged in, and what speaks there."""
