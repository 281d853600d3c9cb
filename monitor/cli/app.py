"""The table of commands, and the one place where errors become words and exit codes."""

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from cyclopts import App, CycloptsError, Parameter

from monitor.cli import (
    audit,
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
    users,
)
from monitor.cli.backup import backup, restore
from monitor.cli.check import check_config
from monitor.cli.options import STDIN
from monitor.cli.replay import replay
from monitor.cli.scan import scan
from monitor.cli.serve import serve
from monitor.cli.tail import tail
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
    for command in (backup, check_config, exporting.export, replay, restore, scan, serve, tail):
        app.command(command)
    for on_lines in (models.train, models.evaluate, retraining.retrain):
        app.command(on_lines)
    on_labels = app.command(App(name="labels", help="What people of a tenant say of lines, to learn from."))
    on_labels.command(labels.import_, name="import")
    on_labels.command(labels.export)
    for on_label in (labels.withdraw, labels.pick, labels.terms):
        on_labels.command(on_label)
    on_ledgers = app.command(App(name="ledger", help="The ledgers that inspectors ask for, as files."))
    on_ledgers.command(exporting.corrections)
    on_ledgers.command(exporting.comments)
    on_models = app.command(App(name="model", help="Show, compare and change the classifiers that judge."))
    on_models.command(lifecycle.list_, name="list")
    for on_model in (models.card, lifecycle.compare, lifecycle.shadow, lifecycle.promote, lifecycle.rollback):
        on_models.command(on_model)
    on_org = app.command(App(name="org", help="What a tenant tells of itself: units, rooms, hosts, posts."))
    on_org.command(org.import_, name="import")
    for on_records in (org.export, org.check, org.show):
        on_org.command(on_records)
    on_plan = app.command(App(name="plan", help="The evening's plan: who is expected on air."))
    on_plan.command(plan.import_, name="import")
    on_plan.command(plan.show)
    on_held = app.command(App(name="held", help="What is held back: see it, release or decide it."))
    on_held.command(holding.list_, name="list")
    for on_holder in (holding.show, holding.release, holding.decide, holding.preview):
        on_held.command(on_holder)
    app.command(App(name="routes", help="Which post alerts go to.")).command(holding.test)
    on_review = app.command(App(name="review", help="See, claim and decide alerts of a running service."))
    on_review.command(reviewing.list_, name="list")
    on_review.command(reviewing.note_, name="note")
    for on_alerts in (
        reviewing.show, reviewing.claim, reviewing.release, reviewing.hand_over, reviewing.escalate, reviewing.decide,
        reviewing.undo, reviewing.rectify, reviewing.close, reviewing.reopen, reviewing.alike, misses.miss,
        misses.drafts, misses.hand, misses.handed, misses.answer,
    ):
        on_review.command(on_alerts)
    on_rules = app.command(App(name="rules", help="Check, test and show rules."))
    for on_rule in (rules.lint, rules.test, rules.explain, rules.new, rules.template, rules.schema, rules.show,
                    rules.duties):
        on_rules.command(on_rule)
    on_rules.command(rules.import_, name="import")
    on_tokens = app.command(App(name="token", help="Make, list and revoke access tokens."))
    on_tokens.command(tokens.new)
    on_tokens.command(tokens.list_, name="list")
    on_tokens.command(tokens.revoke)
    on_users = app.command(App(name="users", help="The people who sign in, and their roles."))
    on_users.command(users.list_, name="list")
    for on_user in (users.add, users.grant, users.disable, users.enable, users.invite):
        on_users.command(on_user)
    on_audit = app.command(App(name="audit", help="The trail: who changed what."))
    on_audit.command(audit.verify)
    on_audit.command(audit.show)
    return app


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
