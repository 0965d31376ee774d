"""A throw-away certificate authority for 127.0.0.1, made by the openssl program."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


@dataclass(frozen=True, slots=True)
class Certificates:
    """PEM files of one authority: its own, a server for 127.0.0.1 and localhost, one client."""

    ca: Path
    server_cert: Path
    server_key: Path
    client_cert: Path
    client_key: Path


def make_certificates(directory: Path) -> Certificates:
    """Write a fresh authority into `directory`; two calls make two that do not trust each other."""
    directory.mkdir(parents=True, exist_ok=True)
    made = Certificates(
        *(directory / name for name in ("ca.pem", "s.pem", "s.key", "c.pem", "c.key"))
    )
    ca_key = directory / "ca.key"
    _openssl(
        "req", "-x509", *_KEY, "-subj", "/CN=test authority", "-keyout", ca_key, "-out", made.ca
    )
    names = "subjectAltName=IP:127.0.0.1,DNS:localhost"
    signer = ("-CA", made.ca, "-CAkey", ca_key)
    for name, cert, key in (
        ("server", made.server_cert, made.server_key),
        ("client", made.client_cert, made.client_key),
    ):
        what = ("-subj", f"/CN={name}", "-addext", names, "-addext", "basicConstraints=CA:FALSE")
        _openssl("req", "-x509", *_KEY, *signer, *what, "-keyout", key, "-out", cert)
    return made


def _openssl(*args: str | Path) -> None:
    command = ["openssl", *map(str, args), "-days", "2"]
    subprocess.run(command, check=True, capture_output=True)
