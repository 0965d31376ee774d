"""Records in the words of another platform: field names, code tables, dates, units, answers."""
