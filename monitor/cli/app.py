"""The table of commands, and the one place where errors become words and exit codes."""

import os
import sys
from collections.abc import Sequence
from typing import Final

from cyclopts import App, CycloptsError, Parameter

from monitor.cli import rules, tokens
from monitor.cli.backup import backup, restore
from monitor.cli.check import check_config
from monitor.cli.options import STDIN
from monitor.cli.replay import replay
from monitor.cli.scan import scan
from monitor.cli.serve import serve
from monitor.cli.tail import tail
from monitor.domain.errors import RedpostError

FOUND: Final = 1
"""Exit code of a check that found something."""
ERROR: Final = 2
"""Exit code of a command that could not do its work."""
_INTERRUPTED: Final = 130
_PIPE_CLOSED: Final = 141  # as a shell tells of a program that SIGPIPE ended

_HELP: Final = """\
A watch post for livestream rooms: what hosts say and viewers write, held against the rules, live.

Exit codes: 0 all is well, 1 something was found, 2 the command could not do its work.
"""


def build() -> App:
    """The whole command line."""
    app = App(
        name="redpost", help=_HELP, help_format="markdown", version=_version, result_action="return_value",
        default_parameter=Parameter(negative="", show_default=False),
    )
    for command in (backup, check_config, replay, restore, scan, serve, tail):
        app.command(command)
    on_rules = app.command(App(name="rules", help="Check, test and show rules."))
    for on_rule in (rules.lint, rules.test, rules.explain, rules.new, rules.schema, rules.show):
        on_rules.command(on_rule)
    on_tokens = app.command(App(name="token", help="Make, list and revoke access tokens."))
    on_tokens.command(tokens.new)
    on_tokens.command(tokens.list_, name="list")
    on_tokens.command(tokens.revoke)
    return app


def _version() -> str:
    from importlib.metadata import version

    return "redpost " + version("redpost")


def run(words: Sequence[str]) -> int:
    """Run one command line; the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        result = build()([STDIN if word == "-" else word for word in words], exit_on_error=False)
    except CycloptsError:  # told already
        return ERROR
    except RedpostError as error:
        from monitor.cli.terminal import tell_error

        tell_error(error)
        return ERROR
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or the interpreter complains while it ends
        return _PIPE_CLOSED
    except KeyboardInterrupt:
        return _INTERRUPTED
    return result if isinstance(result, int) else 0
