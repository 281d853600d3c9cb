"""Logs that neither flood the disk nor end the process."""

import asyncio
import errno
import io
import sys
from typing import Any

import pytest

from monitor.adapters.logs import LoopErrors, configure


class Lines:
    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []
        self.time = 0

    def now(self) -> int:
        return self.time

    def error(self, event: str, **facts: Any) -> None:
        self.lines.append(facts)

    info = warning = error


def test_the_loop_says_the_same_once_a_minute() -> None:
    lines, loop = Lines(), asyncio.new_event_loop()
    tell = LoopErrors(lines, lines)
    full = {"message": "no more sockets", "exception": OSError(errno.EMFILE, "Too many open files")}
    for lines.time in range(0, 60_000, 60):
        tell(loop, full)
    assert len(lines.lines) == 1 and "Too many" in lines.lines[0]["error"]
    tell(loop, {"message": "another"})
    assert len(lines.lines) == 2
    lines.time = 60_000
    tell(loop, full)
    assert (len(lines.lines), lines.lines[-1]["more"]) == (3, 999)
    loop.close()


class Full(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_line_that_cannot_be_written_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Full())
    configure(level="info", form="json").info("hello")
