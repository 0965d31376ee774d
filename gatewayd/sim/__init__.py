"""The simulated station: plant, PLC, readers, scanners and a worker, speaking the real bytes."""
