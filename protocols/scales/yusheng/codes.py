"""Numbers of the Yusheng protocol and what they mean; sources: the package."""

from typing import Final

CODE, ENDED, DONE, ALARM, PASSWORD, POWERED = 0xE0, 0xA4, 0xAD, 0xAE, 0xAC, 0xAF
ACK, RESEND, PERMIT, TARE_MODE, UNSUPERVISED, WELCOME = 0xCC, 0xCA, 0xC2, 0xCD, 0xCE, 0xCF
REPORTS: Final = {
    ENDED: "fill ended",
    0xA5: "fill cut off by a power failure",
    0xA6: "cylinder lifted during the fill",
    0xA7: "anti-theft device acted",
    0xA8: "cylinder exchanged for a heavier one during a pause",
}
NAMES: Final = {
    **REPORTS,
    CODE: "code of the cylinder",
    DONE: "acknowledgement received",
    ALARM: "cannot fill",
    PASSWORD: "password for unsupervised use",
    POWERED: "powered up",
    ACK: "report received",
    RESEND: "send again",
    PERMIT: "permit",
    TARE_MODE: "tare mode",
    UNSUPERVISED: "unsupervised use",
    WELCOME: "answer to power-up",
}
DECISIONS: Final = {
    0xAA: "fill permitted",
    0x55: "fill stopped, scale locked",
    0x01: "cylinder overdue",
    0x02: "not permitted by the platform",
    0x03: "lock released",
}
"""AA, 55, 02 and 03 by V1.10; 01 by the public server."""
