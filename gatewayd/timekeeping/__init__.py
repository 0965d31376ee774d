"""Whether the machine's clock may be believed: for verdicts, for records, for people."""
