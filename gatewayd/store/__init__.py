"""The only SQL: one writer thread with group commit; records, permits, cylinders, cursors."""
