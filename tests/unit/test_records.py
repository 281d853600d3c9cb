"""Records: their files, their documentation, and what they must not say of one another."""

from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest

from monitor.adapters.recordfiles import read, read_folder, write
from monitor.domain.clocks import Clocks, Limit
from monitor.domain.errors import InputError
from monitor.domain.findings import Severity
from monitor.domain.kinds import KINDS
from monitor.domain.ledgers import LATEST, moment
from monitor.domain.organisation import Organisation, Post, Room, Routes, Shift, Slot, Unit
from monitor.domain.record import Record
from monitor.domain.routing import LABELS, Route
from monitor.domain.soundness import faults
from monitor.domain.suppression import Silence, Waiver

ROOT = Path(__file__).parents[2]
DOC = (ROOT / "docs/post.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", KINDS)
def test_the_documentation_has_every_key(kind: str) -> None:
    (row,) = [line for line in DOC.splitlines() if line.startswith(f"| `{kind}` |")]
    for field in msgspec.structs.fields(KINDS[kind]):
        assert f"`{field.encode_name}`" in row


def test_the_documentation_has_every_label() -> None:
    assert all(f"`{label}`" in DOC for label in LABELS)


def test_what_is_shipped_is_sound_and_comes_back_from_its_file() -> None:
    base = read_folder(ROOT / "config/post")
    assert faults(Organisation(base)) == []
    again = read(write((kind, name, record) for (kind, name), record in base.items()), "again")
    assert again == base


def test_all_faults_of_a_file_are_told_at_once() -> None:
    with pytest.raises(InputError) as caught:
        read("unit: {a: {title: 1}}\nwhat: {}\npost: []\nroom: {r: {colour: red}}", "org.yml")
    told = str(caught.value)
    assert all(words in told for words in ("unit a: Expected `str`", "no kind 'what'", "post: records by their ids",
                                           "room r: Object contains unknown field"))
    with pytest.raises(InputError, match=r"org\.yml"):
        read("unit: {", "org.yml")


@pytest.mark.parametrize("text, told", [
    ("room:\n  r: {tags: &a [x], hosts: *a}", r"org\.yml:2: .*\*a: write it out"),
    ("room: &r\n  r: *r", r"org\.yml:2: .*\*r: write it out"),
    ("routes: {tenant: {tree: " + "{routes: [" * 40 + "]}" * 40 + "}}", "nested deeper than 64 levels"),
    ("[" * 5_000, "nested deeper than 64 levels"), ('room: {r: {title: "\\uD800"}}', "room r: .*surrogates"),
    ("room: {? [a] : {}}", "a name is wanted"), ("room: {r: {title: \x01}}", "cannot be read"),
    ("room: !!python/object/apply:os.getcwd []", "records by their ids are wanted"),
])
def test_a_hostile_file_is_refused_with_its_place(text: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        read(text, "org.yml")


@pytest.mark.parametrize("kind, record, told", [
    ("slot", Slot(room="r", starts=LATEST + 1), "`starts` lies outside"),
    ("slot", Slot(room="r", starts=1, ends=2**53 - 1), "`ends` lies outside"),
    ("silence", Silence(match={"room": ("r",)}, reason="x", begins=0, ends=2**70), "`ends` lies outside"),
    ("silence", Silence(match={"room": ("r",)}, reason="x", begins=-1, ends=1), "`begins` lies outside"),
    ("exception", Waiver(rule="r", wording="w", room="r", proof="p", ends=2**63), "`ends` lies outside"),
    ("post", Post(title="p", clocks=Clocks(limits={Severity.HIGH: Limit(claim_s=2**63)})), "clocks and leases"),
    ("post", Post(title="p", clocks=Clocks(limits={Severity.LOW: Limit(decide_s=2_592_001)})), "clocks and leases"),
    ("post", Post(title="p", clocks=Clocks(lease_s=2**62)), "clocks and leases"),
])
def test_times_that_no_calendar_or_store_holds_are_refused(kind: str, record: Record, told: str) -> None:
    (fault,) = faults(Organisation({("room", "r"): Room(), (kind, "x"): record}))
    assert fault.startswith(f"{kind} x: {told}")


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "Pacific/Kiritimati", "Etc/GMT+12"])
def test_every_time_can_be_shown_and_every_clock_runs(zone: str) -> None:
    """Also those that were kept before they were refused."""
    assert moment(LATEST, ZoneInfo(zone)) == moment(2**70, ZoneInfo(zone))
    assert moment(LATEST, ZoneInfo(zone)).startswith("9999-12-3")
    clocks = Clocks(limits={Severity.HIGH: Limit(2**63, 2**70)}, lease_s=2**63)
    longest = 30 * 86_400_000
    assert (clocks.claim_by(Severity.HIGH, 7), clocks.decide_by(Severity.HIGH, 7)) == (7 + longest, 7 + longest)
    assert clocks.lease(7) == 7 + longest


def test_routes_do_not_lie_deeper_than_they_are_followed() -> None:
    def tree(below: int) -> Route:
        return Route(post="p", routes=(tree(below - 1),) if below else ())

    def wrong(below: int) -> list[str]:
        return faults(Organisation({("post", "p"): Post(title="p"), ("routes", "tenant"): Routes(tree=tree(below))}))

    assert wrong(16) == []
    (fault,) = wrong(17)
    assert "routes lie 16 deep at most" in fault


def test_what_records_say_of_one_another_must_hold() -> None:
    told = faults(Organisation({
        ("unit", "a"): Unit(title="a", above="b"), ("unit", "b"): Unit(title="b", above="a"),
        ("room", "r"): Room(unit="nowhere", hosts=("nobody",), profile="blue"),
        ("slot", "s"): Slot(room="r2", starts=2, ends=1), ("post", "p"): Post(title="p", lead="x", members=("y",)),
        ("shift", "n"): Shift(post="q", people=("y",), starts=2, ends=2),
        ("routes", "z"): Routes(tree=Route(match={"colour": ("red",), "severity": ("huge",)}, post="q", routes=(
            Route(post="p"), Route(post="p")))),
    }))
    wanted = [
        "post p: its lead 'x' is not among its members", "room r: there is no unit 'nowhere'",
        "room r: there is no host 'nobody'", "room r: there is no profile 'blue'", "unit a: it hangs below itself",
        "slot s: there is no room 'r2'", "slot s: it ends before it starts", "shift n: there is no post 'q'",
        "shift n: it ends before it starts", "there is no unit 'z'", "there is no label 'colour'",
        "no severity is 'huge'", "there is no post 'q'", "never reached",
    ]
    assert [words for words in wanted if not any(words in fault for fault in told)] == []


def test_units_inherit_routes_and_posts_upwards() -> None:
    organisation = Organisation({
        ("unit", "agency"): Unit(title="agency", default_post="main"),
        ("unit", "east"): Unit(title="east", above="agency"), ("unit", "team"): Unit(title="team", above="east"),
        ("room", "r"): Room(unit="team"), ("post", "main"): Post(title="main", unit="agency"),
        ("post", "here"): Post(title="here", unit="east"),
        ("routes", "east"): Routes(tree=Route(post="here")), ("routes", "tenant"): Routes(tree=Route(post="main")),
    })
    assert organisation.above("team") == ("team", "east", "agency", "")
    assert [unit for unit, _ in organisation.trees("team")] == ["east", ""]
    assert organisation.default_post(organisation.unit_of("r")) == "main"
    assert organisation.post_above("here", "") == ("main", "agency")
    assert organisation.post_above("main", "agency") is None
