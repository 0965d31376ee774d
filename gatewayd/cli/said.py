"""What each command says of itself in the list of `gatewayd --help`, word for word.

The list is read without importing the commands, which takes a second. A test compares it with them.
"""

from collections.abc import Mapping

SAID: Mapping[str, str] = {
    "demo": "A station on loopback: cylinders arrive, legal ones fill, illegal ones are refused.",
    "run": "Run the daemon until SIGTERM or Ctrl-C; every gate is closed before it ends.",
    "check": "Validate the whole configuration; exit 1 and list everything that is wrong.",
    "config": "Show the effective configuration, what a reload would change, or the JSON Schemas.",
    "detect": (
        "List serial ports, USB devices and readers on named hosts, with a guess of what each is."
    ),
    "probe": (
        "Open one device, say what it is, read once and show its frames; the daemon is not "
        "involved."
    ),
    "drivers": (
        "List the installed device drivers with their settings; NAME tells everything of one."
    ),
    "formats": "List the formats of frames, tags and codes, what proves them, and their caveats.",
    "profiles": "Register maps: `profiles [NAME]` shows them, `profiles test` puts them on trial.",
    "decode": "Decode a device frame, a tag's memory or a barcode; exit 1 when it is not valid.",
    "verdict": "What would be decided and why; exit 0 allow, 1 deny.",
    "rules": "The rules that decide, and the examples inside them.",
    "import": "Import KIND from FILE by code or id: known ones change, new ones are added.",
    "export": (
        "Export KIND, by code, as CSV or an Excel workbook; `import` takes it back unchanged."
    ),
    "records": "Query records and verify their hash chain.",
    "backup": "Copy the store as it is now and prove the copy, page by page and record by record.",
    "restore": "Put a backup in the place of the store; stop gatewayd first.",
    "trace": (
        "One cylinder's life, oldest first: fills, refusals, checks, movements, holds, its entry."
    ),
    "hold": "Hold cylinder CODE: it is refused (REGULATOR_LOCK) until it is released.",
    "release": "Release cylinder CODE, whoever held it; exit 1 when nothing did.",
    "holds": (
        "List the cylinders that are held and the rigs that are locked; with CODE, all its holds."
    ),
    "lock": (
        "Lock RIG: its gate closes at once, also during a fill, and stays closed until `unlock`."
    ),
    "unlock": "Unlock RIG, whoever locked it; exit 1 when nothing did.",
    "retire": "Take CODE out of use for good: it is refused (RETIRED_CODE) wherever it appears.",
    "reinstate": (
        "Take a retired CODE back into use, whoever retired it; exit 1 when it is not retired."
    ),
    "retired": (
        "List the codes and tags that are out of use, the newest first; with CODE only what "
        "names it."
    ),
    "checks": "Check forms: what is in force, and their codes as a sheet for the wall.",
    "clock": (
        "Whether the clock of this machine is believed, and why not; exit 0 it is, 1 it is not."
    ),
    "outbox": "Backlog of every upstream, and its dead letters.",
    "schemas": (
        "List the schemas and the AsyncAPI document, print the one NAMEd, or write them all."
    ),
    "conformance": (
        "Publish a fixed set to the broker at URL, and say what your subscriber must have "
        "afterwards."
    ),
    "upstreams": "Mappings: how records are said in the words of another platform.",
    "alarms": "Show the alarms that stand, each with its cause and what to do.",
    "shifts": (
        "Show closed shifts, the newest last: grams of the records against the gate's totaliser."
    ),
    "web-password": (
        "Ask for a password and print what to write for it: web.users.NAME.password in "
        "gateway.yaml."
    ),
}
"""Subcommand -> the first paragraph of its help."""
