"""The table of commands, and the one place where errors become words and exit codes."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from cyclopts import App, CycloptsError, Parameter

from monitor.cli import (
    audit,
    cueing,
    exporting,
    holding,
    labels,
    lifecycle,
    misses,
    models,
    org,
    plan,
    retraining,
    reviewing,
    rules,
    tokens,
    topics,
    users,
)
from monitor.cli.backup import backup, restore
from monitor.cli.bridge import bridge
from monitor.cli.check import check_config
from monitor.cli.migrating import migrate
from monitor.cli.moving import move
from monitor.cli.options import STDIN
from monitor.cli.replay import replay
from monitor.cli.scan import scan
from monitor.cli.serve import serve
from monitor.cli.tail import tail
from monitor.cli.web import web
from monitor.cli.worker import worker
from monitor.domain.errors import InputError, RedpostError

FOUND: Final = 1
"""Exit code of a check that found something."""
ERROR: Final = 2
"""Exit code of a command that could not do its work."""
_INTERRUPTED: Final = 130
_FAULT: Final = 70  # EX_SOFTWARE
_PIPE_CLOSED: Final = 141  # as a shell tells of a program that SIGPIPE ended

_HELP: Final = """\
A watch post for livestream rooms: what hosts say and viewers write, held against the rules, live.

Exit codes: 0 all is well, 1 something was found, 2 the command could not do its work, 70 a fault of its own,
130 it was interrupted.
"""


def build() -> App:
    """The whole command line."""
    app = App(
        name="redpost", help=_HELP, help_format="markdown", version=_version, result_action="return_value",
        default_parameter=Parameter(negative="", show_default=False),
    )
    for command in (backup, bridge, check_config, exporting.export, migrate, move, replay, restore, scan, serve, tail,
                    web, worker):
        app.command(command)
    for on_lines in (models.train, models.evaluate, retraining.retrain):
        app.command(on_lines)
    for name, about, commands in _groups():
        group = app.command(App(name=name, help=about))
        for command in commands:
            group.command(command, name=command.__name__.strip("_").replace("_", "-"))
    return app


def _groups() -> Iterator[tuple[str, str, Sequence[Callable[..., int]]]]:
    """(name, what it is about, its commands): `redpost NAME COMMAND`."""
    yield ("labels", "What people of a tenant say of lines, to learn from.",
           (labels.import_, labels.export, labels.withdraw, labels.pick, labels.terms))
    yield ("ledger", "The ledgers that inspectors ask for, as files.", (exporting.corrections, exporting.comments))
    yield ("model", "Show, compare and change the classifiers that judge.",
           (lifecycle.list_, models.card, lifecycle.compare, lifecycle.shadow, lifecycle.promote, lifecycle.rollback))
    yield ("org", "What a tenant tells of itself: units, rooms, hosts, posts.",
           (org.import_, org.export, org.check, org.show))
    yield ("plan", "The evening's plan: who is expected on air, and who is on which post.",
           (plan.import_, plan.show, plan.tonight, plan.duty))
    yield ("held", "What is held back: see it, release or decide it.",
           (holding.list_, holding.show, holding.release, holding.decide, holding.preview))
    yield ("routes", "Which post alerts go to.", (holding.test,))
    yield ("review", "See, claim and decide alerts of a running service.", (
        reviewing.list_, reviewing.note_, reviewing.show, reviewing.claim, reviewing.release, reviewing.hand_over,
        reviewing.escalate, reviewing.decide, reviewing.undo, reviewing.rectify, reviewing.close, reviewing.reopen,
        reviewing.alike, misses.miss, misses.drafts, misses.hand, misses.handed, misses.answer))
    yield ("cue", "Tell rooms what to say instead, and see what they answer.",
           (cueing.send, cueing.list_, cueing.link, cueing.links, cueing.unlink))
    yield ("rules", "Check, test and show rules.", (
        rules.lint, rules.test, rules.explain, rules.new, rules.template, rules.schema, rules.show, rules.duties,
        rules.import_))
    yield ("token", "Make, list and revoke access tokens.", (tokens.new, tokens.list_, tokens.revoke))
    yield ("users", "The people who sign in, and their roles.",
           (users.list_, users.add, users.grant, users.disable, users.enable, users.invite))
    yield ("topics", "The topics on Kafka that workers and web nodes share.",
           (topics.apply, topics.check, topics.dead_letters))
    yield ("audit", "The trail: who changed what.", (audit.verify, audit.show))


def _version() -> str:
    from importlib.metadata import version

    return "redpost " + version("redpost")


def run(words: Sequence[str]) -> int:
    """Run one command line; the exit code."""
    return guarded(lambda: _run(words))


def guarded(work: Callable[[], int]) -> int:
    """The exit code of `work`, or of what it failed by, which is told. A failure is never taken for something found."""
    try:
        return work()
    except CycloptsError:  # told already
        return ERROR
    except RedpostError as error:
        return _told(error)
    except BrokenPipeError:
        return _PIPE_CLOSED
    except KeyboardInterrupt:
        return _INTERRUPTED
    except OSError as error:
        what = "" if error.filename is None else f" {error.filename}"
        return _told(RedpostError(f"cannot read or write{what}: {error.strerror or error}",
                                  hint="check free space, the path and its permissions"))
    except Exception as error:
        sys.excepthook(type(error), error, error.__traceback__)
        _told(RedpostError("redpost itself is at fault; the lines above say where",
                           hint="report them, with the command and, if you may, the file"))
        return _FAULT
    finally:
        _let_go_of_output()


def _run(words: Sequence[str]) -> int:
    _need_streams()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    result = build()([STDIN if word == "-" else word for word in words], exit_on_error=False)
    sys.stdout.flush()
    return result if isinstance(result, int) else 0


def _told(error: RedpostError) -> int:
    from monitor.cli.terminal import tell_error

    with suppress(OSError):  # nobody can be told
        tell_error(error)
    return ERROR


def _need_streams() -> None:
    """A file that is opened must not get the number of a stream that the caller closed."""
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 (stays)
    if sys.stdout is None:
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 (stays)
        raise InputError("standard output is closed", hint="send it to a file, or to /dev/null")


def _let_go_of_output() -> None:
    """What cannot be written any more is given up, or the interpreter fails on it while it ends."""
    for number, stream in ((1, sys.stdout), (2, sys.stderr)):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), number)
