"""A large workbook read by a process of its own: unpacking and storing share the work of two cores.

The child reads its standard input, the open file, and writes what it finds to its standard output;
nothing else passes between the two. `python -m gatewayd.archive.apart ORIGIN` is the child.
"""

import marshal
import os
import signal
import subprocess
import sys
from collections.abc import Generator, Iterator
from itertools import islice
from typing import Any, BinaryIO

from gatewayd.archive.cells import CellError
from gatewayd.archive.sheet import Cell
from gatewayd.errors import GatewayError, RejectedError

ROWS_AT_ONCE = 500
"""Rows in one message: far less than what a workbook's texts take anyway."""

ROWS, ODD, REJECTED, END = "rows", "odd", "rejected", "end"
"""Kinds of messages; ODD has rows in which a cell is wrong."""

_SEPARATOR = "; "


class Reading:
    """The rows of a workbook as `workbook_in.Reading` tells them, from the child."""

    def __init__(self, file: BinaryIO, origin: str) -> None:
        self._file = file
        self._origin = origin
        self._progress = (0, 0)

    def progress(self) -> tuple[int, int]:
        """Bytes of the sheet that are read, and how many it has; (0, 0) before the first row."""
        return self._progress

    def rows(self) -> Generator[tuple[int, list[Cell]], None, None]:
        """Every row that is written. Raises RejectedError, and GatewayError when the child is lost.

        Whoever stops early ends the child.
        """
        self._file.seek(0)
        # -P and our own path: the child imports what we import, never what lies in the folder.
        words = (sys.executable, "-P", "-m", __name__, self._origin)
        where = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        with subprocess.Popen(  # noqa: S603 - our own module
            words, stdin=self._file, stdout=subprocess.PIPE, env=where
        ) as child:
            assert child.stdout is not None
            try:
                yield from self._told(child.stdout)
            finally:
                child.kill()

    def _told(self, pipe: Any) -> Iterator[tuple[int, list[Cell]]]:
        while True:
            try:
                kind, *rest = marshal.load(pipe)  # noqa: S302 - our own child wrote it
            except (EOFError, ValueError, TypeError) as exc:
                raise GatewayError(
                    f"{self._origin}: the process that reads the workbook has ended; is memory "
                    "short? save it as CSV UTF-8, or import it again"
                ) from exc
            if kind == REJECTED:
                raise RejectedError(rest[0])
            if kind == END:
                return
            rows, self._progress = rest
            if kind == ROWS:
                yield from rows
            for number, cells in rows if kind == ODD else ():
                yield number, [_back(cell) for cell in cells]


def _back(cell: Any) -> Cell:
    """A cell, or what is wrong with it: that comes in a tuple."""
    return cell if isinstance(cell, str) else CellError(*cell[0].split(_SEPARATOR, 1))


def _plain(cell: Cell) -> Any:
    return cell if isinstance(cell, str) else (str(cell),)


def _message(rows: list[tuple[int, list[Cell]]], progress: tuple[int, int]) -> bytes:
    try:
        return marshal.dumps((ROWS, rows, progress))
    except ValueError:  # A cell that is wrong is no plain value; looking for one costs more.
        plain = [(number, [*map(_plain, cells)]) for number, cells in rows]
        return marshal.dumps((ODD, plain, progress))


def _tell(file: BinaryIO, origin: str, out: BinaryIO) -> None:
    """The child: every row, by messages, and how it ended."""
    from gatewayd.archive import workbook_in  # noqa: PLC0415 - large; the parent needs none of it

    reading = workbook_in.Reading(file, origin)
    rows = reading.rows()
    try:
        while found := list(islice(rows, ROWS_AT_ONCE)):
            out.write(_message(found, reading.progress()))
    except RejectedError as exc:
        marshal.dump((REJECTED, str(exc)), out)
    else:
        marshal.dump((END,), out)
    out.flush()


if __name__ == "__main__":
    # Ctrl-C is for the parent to answer; without a parent the next message ends us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    _tell(sys.stdin.buffer, sys.argv[1], sys.stdout.buffer)
