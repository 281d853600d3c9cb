"""The service's clock: whatever the system's is set to, time goes on."""

from hypothesis import given
from hypothesis import strategies as st

from monitor.adapters.clock import SteadyClock

MS = 1_000_000
HOUR = 3_600_000
START = 1_800_000_000_000


class Machine:
    """Its clock can be set by ms; `told` is what the service's clock said of that."""

    def __init__(self) -> None:
        self.passed, self.wall, self.told = 0, START, list[int]()
        self.boot()

    def boot(self) -> None:
        self.clock = SteadyClock(self.told.append, wall=lambda: self.wall * MS, passed=lambda: self.passed * MS)

    def after(self, passed: int, *, set_by: int = 0) -> int:
        """What time it is after so many ms, in which the system's clock was set."""
        self.passed += passed
        self.wall += passed + set_by
        return self.clock.now()


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(-10**8, 10**8))))
def test_time_never_goes_back_nor_stands_still(turns: list[tuple[int, int]]) -> None:
    machine, before = Machine(), START
    for passed, set_by in turns:
        now = machine.after(passed, set_by=set_by)
        assert now >= max(machine.wall, before + passed // 2)
        assert now <= max(machine.wall, before + passed)
        before = now


def test_set_back_it_runs_at_half_speed_until_it_is_right() -> None:
    machine = Machine()
    assert machine.after(1_000, set_by=-HOUR) == START + 500
    assert machine.after(HOUR) == START + 500 + HOUR // 2
    assert machine.after(2 * HOUR) == machine.wall
    assert machine.after(1_000) == machine.wall
    assert machine.told == [-HOUR]


def test_set_forward_it_follows_at_once() -> None:
    machine = Machine()
    assert machine.after(1_000, set_by=HOUR) == machine.wall == START + HOUR + 1_000
    machine.after(1_000)
    assert machine.told == [HOUR]


def test_what_keeps_a_clock_right_is_not_told() -> None:
    machine = Machine()
    for set_by in (2_000, -2_000, 300):
        machine.after(10_000, set_by=set_by)
    machine.after(HOUR)  # as after a night without a call
    assert machine.told == []


def test_a_start_goes_on_from_what_was_written() -> None:
    machine = Machine()
    machine.clock.go_on_from(0)
    assert machine.after(0) == START and machine.told == []
    machine.clock.go_on_from(START + HOUR)
    assert machine.told == [-HOUR]
    assert machine.after(1_000) == START + HOUR + 500
    assert machine.after(3 * HOUR) == machine.wall
    assert machine.told == [-HOUR]
