"""RFID reader protocols, one a file."""
