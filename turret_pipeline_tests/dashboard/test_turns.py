"""The order in which requests compute."""

import threading
from collections.abc import Callable

from turret_pipeline.dashboard.turns import Turns


def run_waiting(turns: Turns, *entries: tuple[str, float | None]) -> list[str]:
    """The names of threads in the order of their turns, all of which waited while the first one had its turn."""
    order: list[str] = []

    def compute(name: str) -> None:
        with turns.take(), turns.take():
            order.append(name)

    threads: list[threading.Thread] = []
    with turns.take():
        for name, position in entries:
            target: Callable[[str], None] = compute if position is None else turns.queue_as(position)(compute)
            threads.append(threading.Thread(target=target, args=(name,)))
            threads[-1].start()
        while turns.waiting < len(entries):
            threading.Event().wait(0.01)
    for thread in threads:
        thread.join()
    return order


def test_the_page_that_was_asked_for_first_is_next() -> None:
    assert run_waiting(Turns(), ("third", 3.0), ("first", 1.0), ("second", 2.0)) == ["first", "second", "third"]


def test_what_nobody_waits_for_comes_last() -> None:
    assert run_waiting(Turns(), ("in advance", None), ("page", 9.0)) == ["page", "in advance"]


def test_an_error_ends_the_turn() -> None:
    turns = Turns()

    try:
        with turns.take():
            raise ValueError
    except ValueError:
        pass

    assert run_waiting(turns, ("next", 1.0)) == ["next"]
