"""Honeywell heads: two commands of three bytes; nothing is answered, a code follows.

Source: Honeywell user guides, chapter serial trigger commands (e.g. N86, page 10-4): SYN T CR
begins, SYN U CR ends. The head must be in manual serial trigger mode (TRGMOD0); it scans until a
code, the end command, or its own read time-out.
"""

TRIGGER_ON = b"\x16T\r"
TRIGGER_OFF = b"\x16U\r"
COMMANDS = {TRIGGER_ON: ("trigger on", "SYN T CR"), TRIGGER_OFF: ("trigger off", "SYN U CR")}
"""Bytes -> what they do, and how the manuals write them."""
