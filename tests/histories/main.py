"""`make sim`: live histories until stopped; `make sim SEED=n` lives one again and tells its story.

    make sim                              # until stopped
    make sim SEED=222                     # one history, told in plain words
    make sim ARGS="--first 1000 --seeds 500"
    make sim ARGS=--everywhere            # one short story, and death at each of its places

Prints seeds an hour, faults by kind, transitions between states, and of every failing history the
seed and its story, shortened. `--everywhere` kills one short story at each of its operations. Exit 1
when one failed.
"""

import argparse
import logging
import multiprocessing
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from itertools import count, islice

from tests.histories.coverage import Coverage
from tests.histories.everywhere import deaths, died, places
from tests.histories.history import Result, live
from tests.histories.plan import SECONDS, Plan
from tests.histories.shrink import shrink, told

SEEDS_AT_ONCE = 5
"""What a worker is given: so many are lost when somebody stops it, and some seconds each on a busy machine."""
DEATHS_AT_ONCE = 8
REPORT_EVERY_S = 60.0
STORIES_MAX = 5


def one(seed: int, *, seconds: float, short: bool) -> int:
    """Live one history and tell it."""
    result = live(Plan.of(seed, seconds=seconds))
    again = live(Plan.of(seed, seconds=seconds))
    assert result.fingerprint == again.fingerprint, "the same seed, another history"
    say(told(shrink(result) if result.wrong and short else result))
    return int(bool(result.wrong))


def some(seeds: Sequence[int], seconds: float) -> list[Result]:
    """A worker's share."""
    return [live(Plan.of(seed, seconds=seconds)) for seed in seeds]


@contextmanager
def _at_work(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Processes that end at once when somebody stops us, who then reports what is known so far."""
    with ProcessPoolExecutor(workers, initializer=_leave_stopping_to_us) as pool:
        try:
            ours = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Who is made now never hears it.
            pool.submit(os.getpid).result()
            signal.signal(signal.SIGINT, ours)
            yield pool
        except KeyboardInterrupt:
            say("stopped")
            for worker in multiprocessing.active_children():
                worker.terminate()
            pool.shutdown(wait=False, cancel_futures=True)


def _leave_stopping_to_us() -> None:
    """Ctrl-C reaches every process of a terminal."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def many(first: int, *, seeds: int | None, seconds: float, workers: int) -> int:
    """Live histories until enough, or for ever."""
    logging.disable()  # Libraries complain of what the wires did to them.
    began_s, reported_s = time.perf_counter(), time.perf_counter()
    seen, failed = Coverage(), Counter[str]()
    numbers = islice(count(first), seeds)
    with _at_work(workers) as pool:
        say(f"make sim: seeds from {first} on, {workers} processes; Ctrl-C ends it")
        waiting: list[Future[list[Result]]] = []
        while True:
            while len(waiting) < 2 * workers and (share := tuple(islice(numbers, SEEDS_AT_ONCE))):
                waiting.append(pool.submit(some, share, seconds))
            if not waiting:
                break
            for result in waiting.pop(0).result():
                seen.add(result)
                if result.wrong:
                    _tell_failure(result, failed)
            if time.perf_counter() - reported_s > REPORT_EVERY_S:
                reported_s = time.perf_counter()
                say(seen.summary(reported_s - began_s))
    say(seen.report(time.perf_counter() - began_s))
    for text, times in failed.most_common():
        say(f"{times} times: {text}")
    return int(bool(failed))


def everywhere(workers: int) -> int:
    """The short story with a death in it at every operation of the disk and every piece on a wire."""
    logging.disable()
    began_s = reported_s = time.perf_counter()
    seen, failed = Coverage(), Counter[str]()
    plans = list(deaths(places()))
    with _at_work(workers) as pool:
        for result in pool.map(live, plans, chunksize=DEATHS_AT_ONCE):
            seen.add(result)
            if not died(result):
                say(f"nobody died of {result.plan.faults[0]}")
                failed["nobody died"] += 1
            if result.wrong:
                failed["died and not healed"] += 1
                say(told(result))
            if time.perf_counter() - reported_s > REPORT_EVERY_S:
                reported_s = time.perf_counter()
                say(f"{seen.seeds} of {len(plans)} deaths in {reported_s - began_s:.0f} s")
    say(f"{seen.seeds} of {len(plans)} deaths; {seen.summary(time.perf_counter() - began_s)}")
    for text, times in failed.most_common():
        say(f"{times} times: {text}")
    return int(bool(failed))


def _tell_failure(result: Result, failed: Counter[str]) -> None:
    text = "".join(c for c in str(result.wrong[0].text) if not c.isdigit())
    failed[text] += 1
    say(f"seed {result.plan.seed} failed: {result.wrong[0]}")
    if failed[text] == 1 and len(failed) <= STORIES_MAX:
        say(told(shrink(result)))


def say(text: str) -> None:
    """To the terminal, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="make sim",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seed", type=int, help="live this one and tell its story")
    parser.add_argument("--whole", action="store_true", help="do not shorten a failing story")
    parser.add_argument("--first", type=int, default=0, help="where to begin")
    parser.add_argument("--seeds", type=int, help="how many; without it until stopped")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="virtual time of faults")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--everywhere", action="store_true", help="one short story, with death at each place in it"
    )
    chosen = parser.parse_args()
    if chosen.everywhere:
        return everywhere(chosen.workers)
    if chosen.seed is not None:
        return one(chosen.seed, seconds=chosen.seconds, short=not chosen.whole)
    return many(chosen.first, seeds=chosen.seeds, seconds=chosen.seconds, workers=chosen.workers)


if __name__ == "__main__":
    sys.exit(main())
