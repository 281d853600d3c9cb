"""What import-linter cannot see: no edges and no work at import time in the core, no broad except, no giants.

The checks read syntax trees. Each returns its offenders as lines `path:line: what`; the tests show all at once, and
every check is seen to fail on a small bad source.
"""

import ast
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

ROOT = Path(__file__).parents[2]
PURE = ("domain", "engine", "services")
MAX_FILE = 330
MAX_FUNCTION = 60

# Where an error of any kind may be caught for good: "path::function" → per what, and what becomes of it.
BROAD: Final[Mapping[str, str]] = {
    "monitor/adapters/bus/logwriter.py::LogWriter._run": "per thread: told to the event loop, which ends the process",
    "monitor/adapters/bus/kafka/deadletters.py::DeadLetters._put": "per message: logged, it is still in its own topic",
    "monitor/adapters/bus/kafka/host.py::FaustHost._guarded": "per rebalance: told to the worker, which ends",
    "monitor/adapters/bus/kafka/producing.py::KafkaProducer._sent": "per message: given to those who wait for it",
    "monitor/services/owning.py::Owning._own": "per partition: told to the worker, which ends",
    "monitor/services/partitions.py::Together._run": "per transaction: given to those who wait for it",
    "monitor/bootstrap/program.py::_run": "per process: logged, then the process ends and is started again",
    "monitor/adapters/storage/gathering.py::Gathered._together": "per write: given to whoever asked for it",
    "monitor/adapters/web/handling.py::_answered": "per request: logged under an id, which the client is told",
    "monitor/adapters/web/websocket.py::Connection.run": "per connection: as per request, and the connection ends",
    "monitor/bootstrap/program.py::_serve": "per process: logged, then the process ends and is started again",
    "monitor/services/housekeeping.py::Chores._attempt": "per task: logged, and tried again at the next turn",
    "monitor/services/learning.py::Learning._trained": "per training: logged and told as failed, what serves stays",
    "monitor/services/dryrun.py::DryRuns._run": "per dry run: logged and told as failed, nothing judges by it",
    "monitor/adapters/courier.py::_aside.run": "per notifier: given to whoever waits for it",
    "monitor/adapters/courier.py::Couriers.send": "per message: counted, told with the message, tried again",
    "monitor/services/rulebook.py::Rulebook._swapped": "per reload: logged and refused, the old rules judge on",
    "monitor/cli/app.py::guarded": "per command: told with its traceback, and an exit code of its own",
}

# Helpers of a module that may be called while it is imported: "path::function" → why.
IMPORT_TIME: Final[Mapping[str, str]] = {
    "monitor/engine/detectors.py::_digits": "spells one pattern",
    "monitor/engine/detectors.py::_of_digits": "closes over a checksum",
}

EDGES: Final = (
    "time", "random", "secrets", "os", "io.open", "pathlib", "tempfile", "shutil", "subprocess", "socket", "sys.stdin",
    "sys.stdout", "sys.stderr", "sys.argv", "uuid.uuid1", "uuid.uuid4", "numpy.random", "numpy.fromfile",
    "datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today", "datetime.date.today", "builtins",
)
# Seeded by its caller.
NO_EDGES: Final = frozenset(["random.Random", "numpy.random.Generator", "numpy.random.PCG64"])
EDGE_BUILTINS: Final = frozenset(["open", "print", "input", "breakpoint", "exec", "eval", "__import__"])

PURE_BUILTINS: Final = frozenset([
    "frozenset", "tuple", "range", "len", "ord", "chr", "int", "float", "str", "bytes", "bool", "min", "max", "sum",
    "sorted", "enumerate", "zip", "reversed", "dict", "set", "list",
])
PURE_CALLS: Final = (
    "re.compile", "typing.TypeVar", "typing.ParamSpec", "typing.NewType", "msgspec", "struct.Struct", "types",
    "datetime.timedelta", "operator", "functools.partial", "collections.namedtuple", "enum", "itertools",
    "numpy.uint8", "numpy.uint16", "numpy.uint32", "numpy.uint64", "numpy.int32", "numpy.int64", "numpy.float32",
    "numpy.dtype", "fractions.Fraction", "decimal.Decimal", "monitor.domain",
)
PURE_METHODS: Final = frozenset([
    "join", "split", "items", "keys", "values", "encode", "replace", "maketrans", "format", "strip", "lower", "upper",
])
MUTATORS: Final = frozenset([
    "append", "extend", "insert", "add", "update", "setdefault", "pop", "popitem", "remove", "discard", "clear",
    "sort", "reverse", "appendleft",
])
MUTABLE: Final = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
MUTABLE_CALLS: Final = frozenset(["list", "dict", "set", "bytearray", "collections.deque", "collections.defaultdict"])


class Source:
    """A parsed file; `path` is relative to the checkout."""

    def __init__(self, path: str, text: str) -> None:
        self.path, self.text, self.tree = path, text, ast.parse(text)
        self.imports: dict[str, str] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for name in node.names:
                    self.imports[name.asname or name.name.partition(".")[0]] = (
                        name.name if name.asname else name.name.partition(".")[0]
                    )
            elif isinstance(node, ast.ImportFrom):
                for name in node.names:
                    self.imports[name.asname or name.name] = f"{node.module}.{name.name}"
        self.classes = {node.name for node in self.tree.body if isinstance(node, ast.ClassDef)}
        self.defined = self.classes | {
            node.name for node in ast.walk(self.tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }

    def dotted(self, node: ast.expr) -> str:
        """The full name of `np.random.rand` and the like: numpy.random.rand; "" where it is no imported name."""
        if isinstance(node, ast.Name):
            return self.imports.get(node.id, "")
        if isinstance(node, ast.Attribute) and (base := self.dotted(node.value)):
            return f"{base}.{node.attr}"
        return ""

    def at(self, node: ast.AST, what: str) -> str:
        return f"{self.path}:{getattr(node, 'lineno', 1)}: {what}"


def under(name: str, prefixes: tuple[str, ...]) -> bool:
    return any(name == prefix or name.startswith(prefix + ".") for prefix in prefixes)


def edges(source: Source) -> Iterator[str]:
    """Reads of the clock, the disk, the terminal, chance; whether called or handed on."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Name) and node.id in EDGE_BUILTINS and node.id not in source.defined:
            yield source.at(node, f"{node.id}() is an edge")
        elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
            name = source.dotted(node)
            module = isinstance(node, ast.Name) and name == node.id  # `time` in `time.time`; told once, for the whole
            if under(name, EDGES) and name not in NO_EDGES and not module:
                yield source.at(node, f"{name} is an edge")


def import_work(source: Source) -> Iterator[str]:
    """Statements that do something while a module is imported; class bodies included."""
    yield from _body_work(source, source.tree.body)


def _body_work(source: Source, body: list[ast.stmt]) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield from _body_work(source, node.body)
        elif isinstance(node, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.AsyncFunctionDef | ast.Pass):
            continue
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            if node.value is not None:
                yield from _value_work(source, node.value)
        elif isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            continue
        elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            yield source.at(node, f"work at import time: {ast.unparse(node).splitlines()[0]}")


def _value_work(source: Source, value: ast.expr) -> Iterator[str]:
    inside = [inner for outer in ast.walk(value) if isinstance(outer, ast.Lambda) for inner in ast.walk(outer.body)]
    for node in ast.walk(value):
        if node in inside:
            continue
        if isinstance(node, ast.Await | ast.Yield | ast.YieldFrom | ast.NamedExpr):
            yield source.at(node, f"work at import time: {ast.unparse(node)}")
        elif isinstance(node, ast.Call) and not _pure_call(source, node.func):
            yield source.at(node, f"call at import time: {ast.unparse(node.func)}()")


def _pure_call(source: Source, func: ast.expr) -> bool:
    name = source.dotted(func)
    if name:
        return under(name, PURE_CALLS)
    if isinstance(func, ast.Name):
        known = func.id in PURE_BUILTINS and func.id not in source.defined
        return known or func.id in source.classes or f"{source.path}::{func.id}" in IMPORT_TIME
    return isinstance(func, ast.Attribute) and func.attr in PURE_METHODS


def global_state(source: Source) -> Iterator[str]:
    """`global`, containers of a module or class that change or that are not declared Final."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Global):
            yield source.at(node, f"global {', '.join(node.names)}")
    names = {}
    for statement in source.tree.body:
        target, value, note = _assigned(statement)
        if value is None or target.startswith("__"):
            continue
        if _mutable(source, value):
            names[target] = statement
            if not note.startswith(("Final", "Mapping", "Sequence")):
                yield source.at(statement, f"{target}: a container of the module that is not Final")
    for node in ast.walk(source.tree):
        changed = _changed(node)
        if changed in names and changed not in _locals(source, node):
            yield source.at(node, f"{changed} of the module is changed")
    for owner in ast.walk(source.tree):
        if isinstance(owner, ast.ClassDef):
            yield from _class_state(source, owner)


def _class_state(source: Source, owner: ast.ClassDef) -> Iterator[str]:
    struct = any(ast.unparse(base).rpartition(".")[2] in {"Struct"} | source.classes for base in owner.bases)
    for statement in owner.body:
        target, value, note = _assigned(statement)
        if value is None or not _mutable(source, value) or "Final" in note or target.startswith("__"):
            continue
        empty = isinstance(value, ast.List | ast.Dict) and not ast.unparse(value).strip("[]{}")
        if not (struct and empty):  # msgspec copies an empty default
            yield source.at(statement, f"{owner.name}.{target}: a container shared by all instances")


def _assigned(node: ast.stmt) -> tuple[str, ast.expr | None, str]:
    """(target, value, annotation) of an assignment."""
    if isinstance(node, ast.AnnAssign):
        return ast.unparse(node.target), node.value, ast.unparse(node.annotation)
    if isinstance(node, ast.Assign):
        return ast.unparse(node.targets[0]), node.value, ""
    return "", None, ""


def _mutable(source: Source, value: ast.expr) -> bool:
    if isinstance(value, ast.Call):
        name = ast.unparse(value.func)
        return name in MUTABLE_CALLS or source.dotted(value.func) in MUTABLE_CALLS
    return isinstance(value, MUTABLE)


def _changed(node: ast.AST) -> str:
    """The bare name whose container this node changes, or ""."""
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
        return ast.unparse(node.value)
    if isinstance(node, ast.AugAssign):
        return ast.unparse(node.target)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in MUTATORS:
        return ast.unparse(node.func.value)
    return ""


def _locals(source: Source, node: ast.AST) -> set[str]:
    """Names that the functions around `node` bind themselves, and which so hide the module's."""
    found: set[str] = set()
    for outer in ast.walk(source.tree):
        if not isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if any(inner is node for inner in ast.walk(outer)):
            found |= {arg.arg for arg in ast.walk(outer) if isinstance(arg, ast.arg)}
            found |= {n.id for n in ast.walk(outer) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return found


def broad_excepts(source: Source) -> Iterator[str]:
    """Handlers of everything that do not end in `raise`, and suppress(Exception), unless BROAD names the place."""
    for function, node, what in _broad(source):
        if f"{source.path}::{function}" not in BROAD:
            yield source.at(node, f"{what} in {function or 'the module'}")


def _broad(source: Source) -> Iterator[tuple[str, ast.AST, str]]:
    for function, node in _with_function(source.tree, ""):
        if isinstance(node, ast.ExceptHandler) and (node.type is None or _is_broad(node.type)):
            last = node.body[-1]
            if not (isinstance(last, ast.Raise) and last.exc is None):
                what = ast.unparse(node.type) if node.type else "everything"
                yield function, node, f"except {what} without a raise at its end"
        elif isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "suppress" and any(
            _is_broad(argument) for argument in node.args
        ):
            yield function, node, "suppress of everything"


def _is_broad(node: ast.expr) -> bool:
    return any(isinstance(part, ast.Name) and part.id in ("Exception", "BaseException") for part in ast.walk(node))


def _with_function(node: ast.AST, function: str) -> Iterator[tuple[str, ast.AST]]:
    for child in ast.iter_child_nodes(node):
        inner = function
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            inner = f"{function}.{child.name}".lstrip(".")
        yield inner, child
        yield from _with_function(child, inner)


def giants(source: Source) -> Iterator[str]:
    """Files and functions that are two things. A migration lists tables, however long."""
    lines = len(source.text.splitlines())
    if lines >= MAX_FILE:
        yield f"{source.path}:1: {lines} lines; under {MAX_FILE} is asked for: it is two things"
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and "/migrations/versions/" not in source.path:
            size = (node.end_lineno or node.lineno) - node.lineno + 1
            if size >= MAX_FUNCTION:
                yield source.at(node, f"{node.name}() has {size} lines; under {MAX_FUNCTION} is asked for")


def sources(*folders: str) -> list[Source]:
    found = []
    for path in sorted(path for folder in folders for path in (ROOT / "monitor" / folder).rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if not name.startswith("monitor/console/"):
            found.append(Source(name, path.read_text(encoding="utf-8")))
    return found


Check = Callable[[Source], Iterator[str]]


@pytest.mark.parametrize("check", [edges, import_work, global_state], ids=lambda check: check.__name__)
def test_the_core_is_pure(check: Check) -> None:
    read = sources(*PURE)
    assert len(read) > 10
    offenders = [line for source in read for line in check(source)]
    assert not offenders, "\n" + "\n".join(offenders)


@pytest.mark.parametrize("check", [broad_excepts, giants], ids=lambda check: check.__name__)
def test_the_whole_house(check: Check) -> None:
    read = sources("")
    assert len(read) > 20
    offenders = [line for source in read for line in check(source)]
    assert not offenders, "\n" + "\n".join(offenders)


def test_no_exception_to_the_checks_is_stale() -> None:
    read = sources("")
    assert set(BROAD) == {f"{source.path}::{function}" for source in read for function, _, _ in _broad(source)}
    known = {f"{source.path}::{name}" for source in read for name, _ in _with_function(source.tree, "")}
    assert set(IMPORT_TIME) <= known


BAD: Final[list[tuple[Check, str]]] = [
    (edges, "def f(): return open('x')"),
    (edges, "def f(): print(1)"),
    (edges, "opener = open"),
    (edges, "import time\ndef f(): return time.monotonic()"),
    (edges, "from time import time as now\ndef f(): return now()"),
    (edges, "import time\ndef f(clock=time.time): ..."),
    (edges, "from datetime import datetime, UTC\ndef f(): return datetime.now(UTC)"),
    (edges, "import datetime as dt\ndef f(): return dt.date.today()"),
    (edges, "import random\ndef f(): return random.random()"),
    (edges, "import numpy as np\ndef f(): return np.random.default_rng()"),
    (edges, "from pathlib import Path\ndef f(p): return Path(p).read_text()"),
    (edges, "import os\ndef f(): return os.environ['HOME']"),
    (import_work, "import re\nfor n in range(3):\n    re.compile('x')"),
    (import_work, "run()"),
    (import_work, "def load(): ...\nTABLE = load()"),
    (import_work, "from sqlalchemy import create_engine\nENGINE = create_engine('sqlite://')"),
    (import_work, "import numpy as np\nTABLE = np.zeros(70_000)"),
    (import_work, "with open('x') as f: ..."),
    (import_work, "class A:\n    x = connect()"),
    (import_work, "try:\n    import numpy\nexcept ImportError:\n    numpy = None"),
    (global_state, "SEEN = {}"),
    (global_state, "seen: list[int] = []"),
    (global_state, "from collections import deque\nLAST = deque()"),
    (global_state, "from typing import Final\nSEEN: Final = set()\ndef f(x): SEEN.add(x)"),
    (global_state, "from typing import Final\nSEEN: Final = {}\ndef f(x): SEEN[x] = 1"),
    (global_state, "COUNT = 0\ndef f():\n    global COUNT\n    COUNT += 1"),
    (global_state, "class A:\n    seen: dict[str, int] = {}"),
    (broad_excepts, "def f():\n    try: g()\n    except Exception: pass"),
    (broad_excepts, "def f():\n    try: g()\n    except: return 1"),
    (broad_excepts, "def f():\n    try: g()\n    except (ValueError, BaseException) as e: raise KeyError from e"),
    (broad_excepts, "from contextlib import suppress\ndef f():\n    with suppress(Exception): g()"),
    (giants, "\n" * MAX_FILE),
    (giants, "def f():\n" + "    x = 1\n" * (MAX_FUNCTION - 1)),
]

GOOD: Final = '''
"""A module as it should be."""
import random
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["f"]
T = TypeVar("T")
_WORDS: Final = {word: n for n, word in enumerate("a b".split())}
_BOTH: Final = re.compile("|".join(sorted(_WORDS)))
_decoder: Final = msgspec.json.Decoder(dict[str, int])
KEY: Final = lambda row: unknown(row)


class Point(Struct, frozen=True):
    x: int = 0
    tags: list[str] = []


ORIGIN: Final = Point()


def f(dice: random.Random, at: int) -> datetime:
    seen = {}
    try:
        seen[at] = dice.random()
    except BaseException:
        seen.clear()
        raise
    return datetime.fromtimestamp(at, UTC)
'''


@pytest.mark.parametrize("check, text", BAD, ids=[f"{check.__name__}-{text[:40]!r}" for check, text in BAD])
def test_each_check_can_fail(check: Check, text: str) -> None:
    assert len(list(check(Source("monitor/domain/bad.py", text)))) >= 1


@pytest.mark.parametrize("check", [edges, import_work, global_state, broad_excepts, giants])
def test_no_check_fails_what_is_good(check: Check) -> None:
    assert list(check(Source("monitor/domain/good.py", GOOD))) == []


def test_sizes_just_below_the_limit_pass() -> None:
    text = "def f():\n" + "    x = 1\n" * (MAX_FUNCTION - 2) + "\n" * (MAX_FILE - MAX_FUNCTION)
    assert len(text.splitlines()) == MAX_FILE - 1
    assert list(giants(Source("monitor/x.py", text))) == []
