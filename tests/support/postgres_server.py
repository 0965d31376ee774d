"""A real PostgreSQL of Debian on loopback, and psql as the independent look into its table."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import pytest

from tests.support.brokers import READY_S_MAX, Broker

TABLE_SQL = Path(__file__).parents[2] / "config" / "upstreams" / "postgresql.sql"
DATABASE, OWNER, GATEWAY = "platform", "platform", "gateway"
RECORD_BYTES_MAX = 20_000


def _program(name: str) -> str | None:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(found[-1]) if found else shutil.which(name)


needs_postgres = pytest.mark.skipif(
    _program("initdb") is None, reason="postgresql is not installed (Debian package: postgresql)"
)


class Postgres(Broker):
    """A cluster of its own, as its own user where we are root: the server refuses root."""

    scheme = "postgresql"

    def __init__(self, directory: Path, lines: Sequence[str] = ()) -> None:
        if _program("initdb") is None:
            pytest.skip("postgresql is not installed (Debian package: postgresql)")
        super().__init__(directory)
        # Not below pytest's folders: those let nobody but us through.
        self._folder = tempfile.TemporaryDirectory(prefix="gatewayd-postgres-")
        self._data = Path(self._folder.name) / "cluster"
        self._lines = lines
        self._make()

    @property
    def url(self) -> str:
        return f"postgresql://127.0.0.1:{self.port}/{DATABASE}"

    def command(self) -> Sequence[str]:
        server = _program("postgres")
        assert server is not None
        return [*self._as(), server, "-D", str(self._data)]

    def start(self) -> Self:
        """Start and return once it takes connections; its port answers earlier."""
        super().start()
        ready = [
            "pg_isready",
            "-q",
            "-U",
            OWNER,
            "-d",
            "postgres",
            "-h",
            "127.0.0.1",
            "-p",
            str(self.port),
        ]
        deadline = time.monotonic() + READY_S_MAX
        while subprocess.run(ready, check=False).returncode != 0:
            assert time.monotonic() < deadline, self.log()
            assert self._process is not None
            self._pause(self._process)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        super().__exit__(kind, error, trace)
        self._folder.cleanup()

    def kill(self) -> None:
        """Everything stops at once and nothing is written on the way out."""
        self._end(signal.SIGQUIT)

    def sql(self, text: str, *, user: str = OWNER, database: str = DATABASE) -> str:
        """What psql prints for some SQL."""
        command = [*self._psql(user, database), "-c", text]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def session(self) -> subprocess.Popen[str]:
        """A psql that stays, for a transaction that is held open."""
        return subprocess.Popen(
            self._psql(OWNER, DATABASE), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def make_table(self) -> None:
        """The table as we ship it, with a limit of the platform's own."""
        self.sql(TABLE_SQL.read_text())
        limit = f"CHECK (length(record) < {RECORD_BYTES_MAX})"
        self.sql(f"ALTER TABLE gatewayd_records ADD CONSTRAINT not_too_large {limit}")
        self.allow(on=True)

    def allow(self, *, on: bool) -> None:
        """Let the gateway write, or not."""
        verb, way = ("GRANT", "TO") if on else ("REVOKE", "FROM")
        self.sql(f"{verb} INSERT, SELECT (id) ON gatewayd_records {way} {GATEWAY}")

    def bodies(self) -> list[bytes]:
        """The records in the table, byte for byte, in the order of their arrival."""
        what = "SELECT encode(convert_to(record, 'UTF8'), 'hex') FROM gatewayd_records "
        text = self.sql(what + "ORDER BY arrived")
        return [bytes.fromhex(line) for line in text.split()]

    def _make(self) -> None:
        initdb = _program("initdb")
        assert initdb is not None
        if os.geteuid() == 0:
            who = pwd.getpwnam("postgres")
            os.chown(self._folder.name, who.pw_uid, who.pw_gid)
        options = ["-A", "trust", "-U", OWNER, "-E", "UTF8", "--no-locale", "-N"]
        command = [*self._as(), initdb, "-D", str(self._data), *options]
        subprocess.run(command, check=True, capture_output=True)
        lines = [f"port = {self.port}", "listen_addresses = '127.0.0.1'", *self._lines]
        lines += ["unix_socket_directories = ''", "shared_buffers = 16MB", "max_wal_size = 64MB"]
        lines.append("fsync = off")  # a killed process loses nothing by it, and starts sooner
        with (self._data / "postgresql.conf").open("a") as file:
            file.write("\n".join(lines) + "\n")
        self.start()
        self.sql(f"CREATE DATABASE {DATABASE}", database="postgres")
        self.sql(f"CREATE ROLE {GATEWAY} LOGIN PASSWORD 'right'", database="postgres")
        self.kill()

    def _as(self) -> list[str]:
        return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] * (
            os.geteuid() == 0
        )

    def _psql(self, user: str, database: str) -> list[str]:
        where = ["-h", "127.0.0.1", "-p", str(self.port), "-U", user, "-d", database]
        return ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", *where]


class Lock:
    """Holds the table locked, so that the server lives and does not answer an INSERT."""

    def __init__(self, server: Postgres) -> None:
        self._session = server.session()
        self._say("BEGIN; LOCK TABLE gatewayd_records; SELECT 'held';")
        assert self._pipe(self._session.stdout).readline() == "held\n"

    def release(self) -> None:
        """Let it go on."""
        self._say("ROLLBACK;")
        self._session.communicate()

    def _say(self, text: str) -> None:
        pipe = self._pipe(self._session.stdin)
        pipe.write(text + "\n")
        pipe.flush()

    @staticmethod
    def _pipe(pipe: IO[str] | None) -> IO[str]:
        assert pipe is not None
        return pipe
