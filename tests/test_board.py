"""The board: latest wins, equal values wake nobody, and a slow watcher costs no memory."""

from gatewayd.board import FLASHES_WAITING_MAX, Board


def test_a_watcher_sees_every_retained_value_and_then_changes() -> None:
    board = Board()
    board.post("a", {"n": 1})
    watcher = board.watch()
    assert watcher.wake.is_set()
    assert list(watcher.changed) == ["a"]
    watcher.changed.clear()
    watcher.wake.clear()
    board.post("a", {"n": 1})
    assert not watcher.wake.is_set()
    board.post("a", {"n": 2})
    board.post("a", {"n": 3})
    assert (watcher.wake.is_set(), list(watcher.changed)) == (True, ["a"])
    assert board.get("a") == {"n": 3}
    assert dict(board.items()) == {"a": {"n": 3}}


def test_a_slow_watcher_loses_the_oldest_flashes_and_counts_them() -> None:
    board = Board()
    watcher = board.watch()
    assert not watcher.wake.is_set()
    for n in range(FLASHES_WAITING_MAX + 3):
        board.flash("w", {"n": n})
    assert (len(watcher.flashes), watcher.dropped) == (FLASHES_WAITING_MAX, 3)
    assert watcher.flashes[0] == ("w", {"n": 3})
    assert board.get("w") is None


def test_who_left_is_told_nothing() -> None:
    board = Board()
    watcher = board.watch()
    board.leave(watcher)
    board.post("a", {})
    board.flash("b", {})
    assert (watcher.changed, watcher.flashes) == ({}, [])
