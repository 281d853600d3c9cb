"""Work that is shared with another process: the same comes of it, whatever becomes of the other one."""

import os
from collections.abc import Callable, Iterator, Sequence
from threading import Event, Thread

import pytest

from monitor.adapters import forking
from monitor.adapters.forking import halved

POSSIBLE = forking._possible


@pytest.fixture(autouse=True)
def begun(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Processes, none of which is left in the end."""
    fork, found = os.fork, list[int]()

    def noted() -> int:
        child = fork()
        if child:
            found.append(child)
        return child

    monkeypatch.setattr(forking, "_possible", lambda: True)
    monkeypatch.setattr(os, "fork", noted)
    yield found
    for child in found:
        with pytest.raises(ChildProcessError):
            os.waitpid(child, os.WNOHANG)


def processes(some: Sequence[str]) -> list[tuple[str, int]]:
    return [(each, os.getpid()) for each in some]


def in_the_other_one(does: Callable[[], object]) -> Callable[[Sequence[str]], list[str]]:
    here = os.getpid()

    def work(some: Sequence[str]) -> list[str]:
        if os.getpid() != here:
            does()
        return [each * 2 for each in some]

    return work


@pytest.mark.parametrize("items", [[], ["甲"], ["甲", "乙", "丙"], list(map(str, range(50_000)))])
def test_each_half_is_done_once_and_in_order(items: list[str], begun: list[int]) -> None:
    found = halved(processes, items, of=tuple[str, int])
    assert [each for each, _ in found] == items
    assert all((process == os.getpid()) == (i < len(items) // 2) for i, (_, process) in enumerate(found))
    assert len(begun) == 1


def failing() -> None:
    raise ValueError("there only")


@pytest.mark.parametrize("does", [failing, lambda: os._exit(1), lambda: os.kill(os.getpid(), 9)])
def test_what_the_other_process_does_not_do_is_done_here(does: Callable[[], object]) -> None:
    assert halved(in_the_other_one(does), ["a", "b", "c"], of=str) == ["aa", "bb", "cc"]


def test_what_it_makes_is_not_trusted_to_be_of_the_kind() -> None:
    assert halved(processes, ["a", "b"], of=int) == processes(["a", "b"])  # type: ignore[arg-type]


def test_what_fails_here_leaves_no_process() -> None:
    def work(some: Sequence[str]) -> list[str]:
        raise ValueError("here and there")

    with pytest.raises(ValueError, match="here and there"):
        halved(work, ["a", "b"], of=str)


def test_a_process_of_several_threads_does_not_fork(monkeypatch: pytest.MonkeyPatch, begun: list[int]) -> None:
    monkeypatch.setattr(forking, "_possible", POSSIBLE)
    done = Event()
    other = Thread(target=done.wait)
    other.start()
    try:
        assert halved(processes, ["a", "b"], of=tuple[str, int]) == processes(["a", "b"])
        assert not begun
    finally:
        done.set()
        other.join()
