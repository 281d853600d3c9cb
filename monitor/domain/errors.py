"""Every error that redpost raises on purpose. Each says what happened and what to do next.

RedpostError
├── InputError          the caller's data; the good rest of the same request is kept
│   ├── NotFound        what was asked for by its name is not there
│   ├── Conflict        not while what was asked for before is under way
│   └── RuleError       a rule file or pack; carries all faults of the file at once
├── ConfigError         settings, tokens, files given by the operator
├── Refused             what cannot be done as things stand; nothing has changed
├── BadLogin            who signs in is not who they say
├── BusyError           under pressure; try again after `retry_after` seconds
│   └── TooManyTries    of signing in
├── StorageError        the disk or database refused; nothing was acknowledged
├── OwnershipLost       another process moved the position: write nothing, stop
└── NewerFormat         data written by a newer version than this one
"""

from collections.abc import Iterable, Mapping
from typing import ClassVar, Final

from msgspec import Struct


class RedpostError(Exception):
    """Base of all; `code` is stable for programs, `hint` says what to do, `status` is the HTTP answer."""

    code: ClassVar[str] = "error"
    status: int = 500
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class InputError(RedpostError):
    code = "bad_input"
    status = 400


class NotFound(InputError):
    code = "not_found"
    status = 404


class Conflict(InputError):
    code = "conflict"
    status = 409


class Fault(Struct, frozen=True):
    """One fault of a file: where (1-based line and column), what, and how to mend it."""

    path: str
    line: int
    column: int
    message: str
    hint: str = ""

    def __str__(self) -> str:
        tail = f" — {self.hint}" if self.hint else ""
        return f"{self.path}:{self.line}:{self.column}: {self.message}{tail}"


class RuleError(InputError):
    code = "bad_rules"

    def __init__(self, faults: Iterable[Fault]) -> None:
        """The faults are kept by path, line and column, each once."""
        self.faults = tuple(sorted(dict.fromkeys(faults), key=lambda f: (f.path, f.line, f.column)))
        super().__init__("\n".join(map(str, self.faults)), hint="")


class ConfigError(RedpostError):
    code = "bad_config"
    status = 503


class Refused(RedpostError):
    """What cannot be done as things stand, and why; nothing has changed."""

    code = "refused"
    status = 409

    def __init__(self, why: str, message: str, *, hint: str = "", facts: Mapping[str, int] | None = None) -> None:
        """`why`: one of a closed set, for programs and metrics; `facts`: numbers that belong to it."""
        super().__init__(message, hint=hint)
        self.why, self.facts = why, dict(facts or {})
        self.status = _STATUS.get(why, 409)


_STATUS: Final = {"missing": 404, "permission": 403}


class BusyError(RedpostError):
    code = "busy"
    status = 429
    retryable = True

    def __init__(self, message: str, *, retry_after: int, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class TooManyTries(BusyError):
    code = "too_many_tries"


class BadLogin(RedpostError):
    code = "bad_login"
    status = 401


class StorageError(RedpostError):
    code = "storage"
    status = 503
    retryable = True


class OwnershipLost(RedpostError):
    code = "ownership_lost"


class NewerFormat(RedpostError):
    code = "newer_format"
