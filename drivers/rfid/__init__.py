"""RFID readers, one family a file."""
