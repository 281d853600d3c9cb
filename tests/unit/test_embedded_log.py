"""What only the embedded log does: a file that outlives processes, a disk that refuses, a thread that may die."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import hypothesis.strategies as st
import msgspec
import pytest
import zstandard
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from monitor.adapters.bus.embedded import EmbeddedLog, LogSettings, open_log
from monitor.adapters.bus.logfile import owner
from monitor.adapters.bus.logrows import Totals, pack
from monitor.adapters.bus.recent import Recent
from monitor.adapters.sqlite import repaired, sqlite3
from monitor.domain import frames
from monitor.domain.errors import BusyError, ConfigError, NewerFormat, StorageError
from monitor.domain.events import HOST_SIDE, VIEWERS, Event, Kind
from monitor.domain.frames import Entry, Frame, Swap, Tick
from tests.fakes.log import MemoryLog

FAR = 10**15
ALL = 10**9
ROOT = Path(__file__).parents[2]


class Lines:
    """A logger that remembers the names of its warnings."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def info(self, event: str, **facts: object) -> None: ...

    def warning(self, event: str, **facts: object) -> None:
        self.warnings.append(event)

    def error(self, event: str, **facts: object) -> None:
        raise AssertionError(event, facts)


class Gate:
    """A fail point that holds the writer's thread until it is opened, and counts the commits."""

    def __init__(self) -> None:
        self.commits: list[int] = []  # events of each
        self.reached = threading.Event()
        self._open = threading.Event()

    def __call__(self, name: str, events: int = 0) -> None:
        assert name == "accepted"
        self.commits.append(events)
        self.reached.set()
        assert self._open.wait(10)

    async def wait(self) -> None:
        assert await asyncio.to_thread(self.reached.wait, 10)

    def open(self) -> None:
        self._open.set()


def fatal(error: BaseException) -> None:
    raise AssertionError(error)


@asynccontextmanager
async def opened(path: Path, **changes: object) -> AsyncIterator[EmbeddedLog]:
    """The log at `path`; `changes` are settings, or the other arguments of `open_log`."""
    ours = {"logger": Lines(), "on_fatal": fatal}
    ours |= {name: changes.pop(name) for name in ("logger", "on_fatal", "failpoint") if name in changes}
    log = await open_log(LogSettings(path=path, **changes), **ours)  # type: ignore[arg-type]
    try:
        yield log
    finally:
        await log.close()


def frame(
    n: int = 1, *, lane: int = VIEWERS, at: int = 1_000, text: str = "话", session: str = "", number: int = 0
) -> Frame:
    kind = Kind.COMMENT if lane == VIEWERS else Kind.TRANSCRIPT
    events = [Event(id=f"{at}-{i}", kind=kind, text=text) for i in range(n)]
    [built] = frames.build(
        events, tenant="local", accepted_at=at, pseudonym=str, revision_of=lambda event: 0,
        session=session, session_seq=number,
    )
    return built


def noise(size: int, at: int = 1_000) -> Frame:
    """A frame that takes `size` bytes on disk, compressed or not."""
    return frame(at=at, text=os.urandom(size // 2).hex())


async def everything(log: EmbeddedLog) -> list[tuple[int, Entry]]:
    found: list[tuple[int, Entry]] = []
    while step := await log.read(after=found[-1][0] if found else 0, lane=None, events=100):
        found += [(numbered.seq, numbered.entry) for numbered in step]
    return found


def modes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}


def damage(path: Path, seq: int) -> None:
    """Flip some bits of an entry on disk."""
    with closing(sqlite3.connect(path)) as db, db:
        [payload] = db.execute("SELECT payload FROM entries WHERE seq = ?", (seq,)).fetchone()
        flipped = payload[:500] + bytes([payload[500] ^ 4]) + payload[501:]
        db.execute("UPDATE entries SET payload = ? WHERE seq = ?", (flipped, seq))


def copy_with_half_the_wal(path: Path, copy: Path) -> None:
    wal = Path(f"{path}-wal").read_bytes()
    copy.write_bytes(path.read_bytes())
    Path(f"{copy}-wal").write_bytes(wal[: len(wal) // 2 + 1_000])


# --- the file


async def test_everything_is_there_after_opening_again(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    entries: list[Entry] = [
        frame(3), frame(2, lane=HOST_SIDE), Tick(1), frame(4, at=2_000, session="s", number=8), Swap(3_000, "v")
    ]
    async with opened(path) as log:
        await log.append(entries)
        assert await log.trim(before=2, accepted_before=FAR, max_bytes=FAR) == 1
    assert modes(tmp_path) == {"log.db": 0o600, "log.db.lock": 0o600}
    async with opened(path) as log:
        assert (await log.first(), log.end()) == (2, 5)
        assert await everything(log) == list(enumerate(entries, 1))[1:]
        assert [n.seq for n in await log.read(after=0, lane=HOST_SIDE, events=ALL)] == [2, 3, 5]
        assert [log.backlog(after, lane=VIEWERS) for after in range(6)] == [4, 4, 4, 4, 0, 0]
        assert [log.backlog(after, lane=HOST_SIDE) for after in range(4)] == [2, 2, 0, 0]
        assert await log.session_seq("local", "s") == 8
        assert await log.first_since(2_000) == 4
        assert await log.append([frame()]) == 6


async def test_numbers_go_on_in_an_emptied_log(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    async with opened(path) as log:
        await log.append([frame(2), frame(2, lane=HOST_SIDE), frame(session="s", number=3)])
        await log.trim(before=FAR, accepted_before=FAR, max_bytes=0)
    async with opened(path) as log:
        assert (await log.first(), log.end()) == (4, 3)
        assert log.backlog(0, lane=VIEWERS) == 0
        assert await log.session_seq("local", "s") == 3
        assert await log.append([frame(5)]) == 4
        assert log.backlog(0, lane=VIEWERS) == 5
        assert [n.seq for n in await log.read(after=0, lane=VIEWERS, events=ALL)] == [4]


async def test_only_the_owner_may_read_the_files(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    path.touch(mode=0o644)
    async with opened(path) as log:
        await log.append([frame()])
        names = ("log.db", "log.db-wal", "log.db-shm", "log.db.lock")
        assert modes(tmp_path) == dict.fromkeys(names, 0o600)


async def test_trimming_gives_space_back(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    async with opened(path, spare_bytes=100_000) as log:
        await log.append([noise(20_000) for _ in range(200)])
        await log.trim(before=0, accepted_before=0, max_bytes=FAR)
        assert await log.trim(before=191, accepted_before=0, max_bytes=500_000) > 150
        assert path.stat().st_size < 1_000_000
        assert [seq for seq, _ in await everything(log)] == list(range(await log.first(), 201))


async def test_max_bytes_counts_what_is_held(tmp_path: Path) -> None:
    entries = [noise(4_000) for _ in range(50)]
    compress = zstandard.ZstdCompressor(level=1, write_checksum=True).compress
    sizes = [len(compress(frames.encode(entry))) for entry in entries]
    async with opened(tmp_path / "log.db") as log:
        await log.append(entries)
        assert await log.trim(before=FAR, accepted_before=0, max_bytes=sum(sizes)) == 0
        assert await log.trim(before=FAR, accepted_before=0, max_bytes=sum(sizes) - 1) == 1
        assert await log.trim(before=FAR, accepted_before=0, max_bytes=sum(sizes[40:])) == 39
        assert await log.first() == 41


async def test_sessions_are_bounded(tmp_path: Path) -> None:
    async with opened(tmp_path / "log.db", sessions=2) as log:
        for name in ("old", "new", "newest"):
            await log.append([frame(session=name, number=1)])
        await log.trim(before=0, accepted_before=0, max_bytes=FAR)
        assert [await log.session_seq("local", name) for name in ("old", "new", "newest")] == [0, 1, 1]


# --- processes

CHILD = """
import asyncio, os, sys
from pathlib import Path
from tests.unit.test_embedded_log import frame, opened

def die(name, events=0):
    os._exit(9)

async def main(path, doing):
    async with opened(path, **({"failpoint": die} if doing == "die" else {})) as log:
        if doing == "hold":
            print("held", flush=True)
            sys.stdin.read()
        async def appends():
            while True:
                print(await log.append([frame(20, text="字" * 50)]), flush=True)
        await asyncio.gather(*(appends() for _ in range(8)))

asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
"""


def child(path: Path, doing: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(  # noqa: S603 - our own script
        [sys.executable, "-c", CHILD, str(path), doing],
        cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )


def test_what_was_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    with child(path, "append") as process:
        assert process.stdout is not None
        acknowledged = [int(process.stdout.readline()) for _ in range(300)]
        process.send_signal(signal.SIGKILL)
        acknowledged += [int(line) for line in process.stdout if line.endswith("\n")]
    assert process.returncode == -signal.SIGKILL

    async def check() -> None:
        async with opened(path) as log:
            found = await everything(log)
            assert [seq for seq, _ in found] == list(range(1, log.end() + 1))
            assert set(acknowledged) <= {seq for seq, _ in found}
            assert all(entry == frame(20, text="字" * 50) for _, entry in found)
            assert log.backlog(0, lane=VIEWERS) == 20 * log.end()
            assert await log.append([frame()]) == log.end() == len(found) + 1

    asyncio.run(check())


def test_a_death_between_commit_and_answer_keeps_the_entry(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    with child(path, "die") as process:
        assert process.stdout is not None
        assert process.stdout.read() == ""
    assert process.returncode == 9

    async def check() -> None:
        async with opened(path) as log:
            assert log.end() > 0

    asyncio.run(check())


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.db"

    async def attempt() -> None:
        async with opened(path):
            pass

    with child(path, "hold") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with pytest.raises(ConfigError, match=rf"in use by process {process.pid}\b") as caught:
            asyncio.run(attempt())
        assert "stop that process" in caught.value.hint
        process.kill()
    asyncio.run(attempt())


async def test_one_process_opens_it_once(tmp_path: Path) -> None:
    async with opened(tmp_path / "log.db"):
        with pytest.raises(ConfigError, match=f"in use by process {os.getpid()}"):
            await open_log(LogSettings(path=tmp_path / "log.db"), logger=Lines(), on_fatal=fatal)
    async with opened(tmp_path / "log.db"):
        pass


# --- files that are not as they should be


async def refused(path: Path) -> str:
    """How the log refuses to open, twice the same: nothing stays open or locked."""
    with pytest.raises((ConfigError, StorageError, NewerFormat)) as caught:
        await open_log(LogSettings(path=path), logger=Lines(), on_fatal=fatal)
    with pytest.raises(type(caught.value)):
        await open_log(LogSettings(path=path), logger=Lines(), on_fatal=fatal)
    assert caught.value.hint
    assert str(path) in caught.value.message
    return f"{type(caught.value).__name__}: {caught.value.message}"


@pytest.mark.parametrize("statement", ["PRAGMA user_version = 99", "UPDATE trimmed SET entry_format = 99"])
async def test_a_newer_format_is_left_alone(tmp_path: Path, statement: str) -> None:
    path = tmp_path / "log.db"
    async with opened(path) as log:
        await log.append([frame()])
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(statement)
    assert "NewerFormat" in await refused(path)
    assert "format 99" in await refused(path)


async def test_a_log_in_use_is_refused_though_its_lock_file_was_deleted(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    assert owner(path) == ""
    async with opened(path):
        assert owner(path) == str(os.getpid())
        Path(f"{path}.lock").unlink()
        script = "import sys; from tests.unit.test_embedded_log import opening; opening(sys.argv[1])"
        done = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", script, str(path)], cwd=ROOT,
                                       capture_output=True, text=True, check=False)
        assert "in use by a process whose lock file was deleted" in done.stdout, done.stderr
    assert owner(path) == ""


def opening(path: str) -> None:
    """In a process of its own: one that opens a file twice would let go of SQLite's locks."""
    try:
        asyncio.run(open_log(LogSettings(path=Path(path)), logger=Lines(), on_fatal=fatal))
    except ConfigError as error:
        sys.stdout.write(str(error))


async def test_a_file_that_is_no_log(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("not a database\n" * 500)
    assert "damaged or no log" in await refused(text)
    assert text.read_text() == "not a database\n" * 500
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as db, db:
        db.execute("CREATE TABLE customers (name TEXT)")
    assert "no log of redpost" in await refused(other)
    assert "Is a directory" in await refused(tmp_path)
    assert "No such file" in await refused(tmp_path / "missing" / "log.db")


async def test_an_empty_file_becomes_a_log(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    path.touch()
    async with opened(path) as log:
        assert await log.append([frame()]) == 1


async def test_a_cut_off_file(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    async with opened(path) as log:
        await log.append([noise(20_000) for _ in range(20)])
    os.truncate(path, path.stat().st_size // 2)
    assert "damaged" in await refused(path)


async def test_a_cut_off_wal_keeps_what_was_whole(tmp_path: Path) -> None:
    path, copy = tmp_path / "log.db", tmp_path / "copy.db"
    async with opened(path) as log:
        for i in range(20):
            await log.append([noise(20_000, at=i)])
        copy_with_half_the_wal(path, copy)
    async with opened(copy) as log:
        found = await everything(log)
        assert 5 < len(found) < 15
        assert [(seq, entry.accepted_at) for seq, entry in found] == [(i + 1, i) for i in range(len(found))]
        assert await log.append([frame()]) == len(found) + 1


async def test_a_damaged_entry_is_named(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    async with opened(path) as log:
        await log.append([frame(at=1), noise(2_000), frame(at=3)])
    damage(path, 2)
    async with opened(path) as log:
        assert [n.seq for n in await log.read(after=0, lane=None, events=1)] == [1]
        with pytest.raises(StorageError, match=r"entry 2 of the log .* is damaged") as caught:
            await log.read(after=1, lane=None, events=1)
        assert "disk" in caught.value.hint
        assert [n.seq for n in await log.read(after=2, lane=None, events=1)] == [3]


async def test_an_entry_of_another_shape_is_an_error_not_a_guess(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    async with opened(path) as log:
        await log.append([Tick(1)])
    payload = zstandard.ZstdCompressor().compress(msgspec.msgpack.encode(["z", 1]))
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE entries SET payload = ?", (payload,))
    async with opened(path) as log:
        with pytest.raises(StorageError, match="entry 1"):
            await log.read(after=0, lane=None, events=1)


# --- a disk that refuses


async def test_a_full_disk_acknowledges_nothing_and_recovers(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    async with opened(path, max_pages=100, spare_bytes=0) as log:
        written = 0
        with pytest.raises(StorageError, match="full") as caught:
            while True:
                written = await log.append([noise(20_000)])
        assert "free space" in caught.value.hint
        assert 5 < written == log.end()
        results = await asyncio.gather(*(log.append([noise(20_000)]) for _ in range(5)), return_exceptions=True)
        assert [type(result) for result in results] == [StorageError] * 5
        assert len(set(map(id, results))) == 5
        assert [seq for seq, _ in await everything(log)] == list(range(1, written + 1))
        assert not await log.wait(written, timeout=0)

        assert await log.trim(before=4, accepted_before=FAR, max_bytes=FAR) == 3
        assert await log.append([noise(20_000)]) == written + 1
    async with opened(path) as log:
        assert await log.append([noise(20_000), noise(20_000)]) == written + 3
        assert [seq for seq, _ in await everything(log)] == list(range(4, written + 4))


def test_a_file_that_may_not_grow(tmp_path: Path) -> None:
    """The system itself refuses to write: the WAL cannot grow, then the checkpoint cannot."""
    script = """
import asyncio, resource, sys
from pathlib import Path
from monitor.domain.errors import StorageError
from tests.unit.test_embedded_log import Lines, everything, noise, opened

def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

async def main(path):
    lines = Lines()
    async with opened(path, logger=lines, idle_wal_bytes=300_000) as log:
        await log.append([noise(20_000)])
        limit(200_000)
        refused = written = 0
        for _ in range(30):
            try:
                written = await log.append([noise(20_000)])
            except StorageError as error:
                assert error.hint, error
                refused += 1
        assert refused > 5, refused
        assert log.end() == max(written, 1) == 31 - refused
        limit(resource.RLIM_INFINITY)
        assert await log.append([noise(20_000)]) == 32 - refused
        for _ in range(60):
            await log.append([noise(20_000)])
        limit(path.stat().st_size + 10_000)
        before = log.end()
        while "log_checkpoint_failed" not in lines.warnings:
            await log.append([noise(5_000)])  # the WAL takes what the file cannot
        assert log.end() > before
        limit(resource.RLIM_INFINITY)
        end = await log.append([noise(20_000)])
        assert [seq for seq, _ in await everything(log)] == list(range(1, end + 1))
    async with opened(path) as log:
        assert [seq for seq, _ in await everything(log)] == list(range(1, end + 1))

asyncio.run(main(Path(sys.argv[1])))
"""
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-c", script, str(tmp_path / "log.db")], cwd=ROOT, text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr


# --- the thread that writes


async def test_what_queues_is_written_in_groups_in_order(tmp_path: Path) -> None:
    gate = Gate()
    async with opened(tmp_path / "log.db", failpoint=gate) as log:
        order: list[int] = []

        async def append(i: int) -> None:
            last = await log.append([frame(at=i), Tick(i)])
            assert log.end() >= last
            assert [n.entry for n in await log.read(after=last - 2, lane=None, events=1)] == [frame(at=i), Tick(i)]
            order.append(i)

        tasks = [asyncio.create_task(append(i)) for i in range(41)]
        await gate.wait()
        gate.open()
        await asyncio.gather(*tasks)
        assert order == list(range(41))
        assert gate.commits[0] <= 32 and sum(gate.commits) == 41
        assert len(gate.commits) <= 3
        assert [entry.accepted_at for _, entry in await everything(log)] == [i for i in range(41) for _ in range(2)]


async def test_nothing_is_visible_before_it_is_accepted(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    async with opened(path) as log:
        await log.append([frame(2, at=10)])
    gate = Gate()
    async with opened(path, failpoint=gate, cache_bytes=0) as log:
        append = asyncio.create_task(log.append([frame(3, at=20)]))
        await gate.wait()  # it is on disk
        assert log.end() == 1
        for lane in (None, VIEWERS):
            assert [n.seq for n in await log.read(after=0, lane=lane, events=ALL)] == [1]
        assert await log.first_since(20) == 2
        assert log.backlog(0, lane=VIEWERS) == 2
        assert not await log.wait(1, timeout=0)
        assert not append.done()
        gate.open()
        assert await append == 2
        assert [n.seq for n in await log.read(after=0, lane=None, events=ALL)] == [1, 2]
        assert log.backlog(0, lane=VIEWERS) == 5


@pytest.mark.parametrize("limit", [{"pending_entries": 3}, {"pending_bytes": 3 * len(frames.encode(frame()))}])
async def test_too_much_waiting_is_refused_then_taken(tmp_path: Path, limit: dict[str, int]) -> None:
    gate = Gate()
    async with opened(tmp_path / "log.db", failpoint=gate, **limit) as log:
        waiting = [asyncio.create_task(log.append([frame()])) for _ in range(3)]
        await gate.wait()
        with pytest.raises(BusyError) as caught:
            await log.append([frame()])
        assert caught.value.retry_after == 1
        assert caught.value.hint
        gate.open()
        assert await asyncio.gather(*waiting) == [1, 2, 3]
        assert await log.append([frame()]) == 4


async def test_a_cancelled_append_disturbs_nobody(tmp_path: Path) -> None:
    gate = Gate()
    async with opened(tmp_path / "log.db", failpoint=gate, pending_entries=2) as log:
        given_up, waiting = (asyncio.create_task(log.append([frame()])) for _ in range(2))
        await gate.wait()
        given_up.cancel()
        gate.open()
        assert await waiting == 2
        assert given_up.cancelled()
        assert await log.append([frame()]) == 3


async def test_an_unforeseen_error_ends_the_log(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    met: list[BaseException] = []

    def fails(name: str, events: int = 0) -> None:
        raise LookupError("unforeseen")

    async with opened(path, on_fatal=met.append, failpoint=fails) as log:
        waiting = asyncio.create_task(log.wait(0, timeout=60))
        results = await asyncio.gather(*(log.append([frame()]) for _ in range(40)), return_exceptions=True)
        assert [type(result) for result in results] == [StorageError] * 40
        assert [str(error) for error in met] == ["unforeseen"]
        assert not await waiting
        assert not await log.wait(0, timeout=60)
        for attempt in (log.append([frame()]), log.trim(before=0, accepted_before=0, max_bytes=0), log.first_since(0)):
            with pytest.raises(StorageError, match="its writer has stopped"):
                await attempt
    async with opened(path) as log:
        assert log.end() > 0  # it was on disk, though nobody was told


async def test_a_foreign_row_ends_the_log(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    met: list[BaseException] = []
    async with opened(path, on_fatal=met.append) as log:
        await log.append([frame()])
        with closing(sqlite3.connect(path)) as db, db:
            db.execute("INSERT INTO entries SELECT 2, lane, 0, 0, 0, 0, 0, 0, payload FROM entries")
        with pytest.raises(StorageError):
            await log.append([frame()])
        assert [type(error) for error in met] == [sqlite3.IntegrityError]


async def test_closing_writes_what_was_appended(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    gate = Gate()
    log = await open_log(LogSettings(path=path), logger=Lines(), on_fatal=fatal, failpoint=gate)
    appends = [asyncio.create_task(log.append([frame()])) for _ in range(50)]
    waiting = asyncio.create_task(log.wait(99, timeout=60))
    await gate.wait()
    closing_down = asyncio.create_task(log.close())
    assert not await waiting
    gate.open()
    await closing_down
    assert await asyncio.gather(*appends) == list(range(1, 51))
    await log.close()
    for attempt in (log.append([frame()]), log.read(after=0, lane=None, events=1), log.session_seq("local", "s")):
        with pytest.raises(StorageError, match="it is closed"):
            await attempt
    async with opened(path) as log:
        assert log.end() == 50


async def test_appends_and_a_long_trim_take_turns(tmp_path: Path) -> None:
    async with opened(tmp_path / "log.db", spare_bytes=0, idle_wal_bytes=50_000, wal_bytes=200_000) as log:
        await log.append([noise(3_000) for _ in range(500)])
        trim = asyncio.create_task(log.trim(before=491, accepted_before=FAR, max_bytes=FAR))
        firsts: list[int] = []

        async def appends() -> None:
            while not trim.done() and log.end() < 20_000:
                await log.append([frame()])
                firsts.append(await log.first())

        await asyncio.gather(*(appends() for _ in range(50)))  # there is always somebody who waits
        assert trim.done()
        assert await trim == 490
        assert len(set(firsts)) > 2  # neither waits for all of the other
        assert [seq for seq, _ in await everything(log)] == list(range(491, log.end() + 1))


async def test_a_trim_ends_where_it_is_when_the_log_closes(tmp_path: Path) -> None:
    gate = Gate()
    path = tmp_path / "log.db"
    log = await open_log(LogSettings(path=path), logger=Lines(), on_fatal=fatal, failpoint=gate)
    append = asyncio.create_task(log.append([frame()] * 500))
    await gate.wait()
    trim = asyncio.create_task(log.trim(before=FAR, accepted_before=FAR, max_bytes=0))
    await asyncio.sleep(0)
    close = asyncio.create_task(log.close())
    gate.open()
    assert await append == 500
    await close
    dropped = await trim
    async with opened(path) as log:
        assert await log.first() == dropped + 1


# --- SQLite


@pytest.mark.parametrize(
    ("version", "safe"),
    [((3, 40, 1), False), ((3, 44, 5), False), ((3, 44, 6), True), ((3, 45, 0), False), ((3, 50, 6), False),
     ((3, 50, 7), True), ((3, 51, 2), False), ((3, 51, 3), True), ((3, 52, 0), True), ((4, 0, 0), True)],
)
def test_which_sqlite_repairs_the_wal_reset(version: tuple[int, ...], safe: bool) -> None:
    assert repaired(version) is safe


async def test_an_affected_sqlite_is_named_at_start(tmp_path: Path) -> None:
    lines = Lines()
    async with opened(tmp_path / "log.db", logger=lines):
        expected = [] if repaired(sqlite3.sqlite_version_info) else ["log_sqlite_wal_reset"]
        assert lines.warnings == expected


# --- the entries in memory


def recent(entries: list[Entry], *, bytes_: int = ALL, events: int = ALL) -> Recent:
    made = Recent(end=Totals(10), lasts=(4, 10), bytes_=bytes_, events=events)
    totals = Totals(10)
    for entry in entries:
        packed = pack(entry)
        totals = totals.plus(packed, 100)
        made.add(packed.entry, totals, lane=packed.lane, events=packed.events, size=len(packed.data))
    return made


def test_memory_serves_a_lane_that_was_quiet_for_long() -> None:
    """A consumer of lane 0 that stands at its last entry never needs the disk, whatever lane 1 brings."""
    cache = recent([frame(5) for _ in range(100)], events=20)
    assert cache.read(4, HOST_SIDE, ALL) == []
    assert cache.read(3, HOST_SIDE, ALL) is None
    assert cache.read(10, VIEWERS, ALL) is None
    assert cache.totals(105) is None
    assert [n.seq for n in cache.read(106, VIEWERS, ALL) or []] == [107, 108, 109, 110]
    assert [n.seq for n in cache.read(108, None, 5) or []] == [109]
    assert cache.totals(106) == Totals(106, 1_000, 0, 480, 9_600)


def test_memory_is_bounded_in_bytes() -> None:
    entries: list[Entry] = [frame(10, text="字" * 100) for _ in range(100)]
    cache = recent(entries, bytes_=100_000)
    held = cache.read(110 - 9, None, ALL)
    assert held is not None and len(held) == 9
    assert cache.read(110 - 40, None, ALL) is None
    assert recent(entries, bytes_=0).read(110, None, ALL) == []
    assert recent(entries, bytes_=0).read(109, None, ALL) is None


def test_memory_is_complete_once_all_older_entries_are_trimmed() -> None:
    cache = recent([frame(), frame(lane=HOST_SIDE), Tick(1)])
    assert cache.read(0, None, ALL) is None
    cache.trim(Totals(11, 0, 0, 1, 100))
    assert [n.seq for n in cache.read(0, None, ALL) or []] == [12, 13]
    assert [n.seq for n in cache.read(0, VIEWERS, ALL) or []] == [13]
    cache.trim(Totals(13, 0, 1, 1, 300))
    assert cache.read(0, HOST_SIDE, ALL) == []
    assert cache.totals(13) == Totals(13, 1_000, 1, 1, 300)


# --- against the fake

some_entries = st.lists(
    st.one_of(
        st.builds(
            frame, st.integers(1, 6), lane=st.sampled_from([HOST_SIDE, VIEWERS]), at=st.integers(0, 50),
            session=st.sampled_from(["", "a", "b"]), number=st.integers(0, 9),
        ),
        st.builds(Tick, st.integers(0, 50)),
        st.builds(Swap, st.integers(0, 50), st.just("v")),
    ),
    max_size=5,
)
a_seq = st.integers(-1, 60)


class SameAsTheFake(RuleBasedStateMachine):
    """Whatever is appended, trimmed, closed and opened again: the log answers as the fake does."""

    @initialize(cache_bytes=st.sampled_from([0, 5_000, 20_000, ALL]), cache_events=st.sampled_from([4, 15, ALL]))
    def begin(self, cache_bytes: int, cache_events: int) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.runner = asyncio.Runner()
        self.settings = LogSettings(
            path=Path(self.folder.name) / "log.db", cache_bytes=cache_bytes, cache_events=cache_events, spare_bytes=0
        )
        compress = zstandard.ZstdCompressor(level=1, write_checksum=True).compress
        self.fake = MemoryLog(size=lambda entry: len(compress(frames.encode(entry))))
        self.log = self.runner.run(self.opened())

    async def opened(self) -> EmbeddedLog:
        return await open_log(self.settings, logger=Lines(), on_fatal=fatal)

    @rule(entries=some_entries)
    def append(self, entries: list[Entry]) -> None:
        assert self.runner.run(self.log.append(entries)) == self.runner.run(self.fake.append(entries))

    @rule(appends=st.lists(some_entries, max_size=5))
    def append_at_once(self, appends: list[list[Entry]]) -> None:
        async def both() -> None:
            lasts = await asyncio.gather(*map(self.log.append, filter(None, appends)))
            assert lasts == [await self.fake.append(entries) for entries in filter(None, appends)]

        self.runner.run(both())

    @rule(after=a_seq, lane=st.sampled_from([None, HOST_SIDE, VIEWERS]), events=st.integers(0, 20))
    def read(self, after: int, lane: int | None, events: int) -> None:
        ours = self.runner.run(self.log.read(after=after, lane=lane, events=events))
        assert ours == self.runner.run(self.fake.read(after=after, lane=lane, events=events))

    @rule(before=a_seq, accepted_before=st.integers(0, 51), max_bytes=st.one_of(st.integers(0, 3_000), st.just(FAR)))
    def trim(self, before: int, accepted_before: int, max_bytes: int) -> None:
        ours, its = (
            self.runner.run(log.trim(before=before, accepted_before=accepted_before, max_bytes=max_bytes))
            for log in (self.log, self.fake)
        )
        assert ours == its

    @rule()
    def open_again(self) -> None:
        self.runner.run(self.log.close())
        self.log = self.runner.run(self.opened())

    @rule(accepted_at=st.integers(-1, 51))
    def first_since(self, accepted_at: int) -> None:
        assert self.runner.run(self.log.first_since(accepted_at)) == self.runner.run(self.fake.first_since(accepted_at))

    @rule(after=a_seq, lane=st.sampled_from([HOST_SIDE, VIEWERS]))
    def backlog(self, after: int, lane: int) -> None:
        assert self.log.backlog(after, lane=lane) == self.fake.backlog(after, lane=lane)

    @invariant()
    def bounds(self) -> None:
        assert self.log.end() == self.fake.end()
        assert self.runner.run(self.log.first()) == self.runner.run(self.fake.first())
        for session in ("a", "b"):
            known = self.runner.run(self.fake.session_seq("local", session))
            assert self.runner.run(self.log.session_seq("local", session)) == known

    def teardown(self) -> None:
        self.runner.run(self.log.close())
        self.runner.close()
        self.folder.cleanup()


TestSameAsTheFake = SameAsTheFake.TestCase
TestSameAsTheFake.settings = settings(
    max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
