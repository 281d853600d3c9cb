"""The rules workbench over HTTP."""

from typing import Any, Final

from aiohttp import web
from msgspec import Struct
from msgspec.structs import replace

from monitor.adapters.web.auth import PRINCIPAL
from monitor.adapters.web.chinese import fault_in_chinese
from monitor.adapters.web.errors import json_answer, reads_chinese
from monitor.adapters.web.handling import QUERY
from monitor.adapters.web.ingest import received_json
from monitor.adapters.web.params import Param, count, text
from monitor.adapters.web.services import SERVICES
from monitor.domain.errors import Fault
from monitor.domain.rules import CATEGORIES
from monitor.services.dryrecords import RunThis
from monitor.services.ruleeditions import Publishing, Saving
from monitor.services.ruletrying import RuleDraft, TryThis

_PATH: Final = text("path", "The file, such as shop/early_bird.yml.", longest=200)
FILE_PARAMS: Final[tuple[Param, ...]] = (
    _PATH,
    count("version", "Which version, 0 as the rules folder has it. Default: the newest.", least=0, most=9_999_999),
)
RUN_PARAMS: Final[tuple[Param, ...]] = (_PATH,)
SHADOW_PARAMS: Final[tuple[Param, ...]] = (text("rule", "The rule's id.", longest=200),)
_MOST: Final = 4 * 2**20


class Cancelling(Struct, frozen=True):
    """The release that is not to come."""

    release: int


class RuleWords(Struct, frozen=True):
    """What a rule file may say: its JSON Schema, and what it may refer to."""

    schema: dict[str, Any]
    categories: list[str]
    clauses: dict[str, str]
    contexts: list[str]


async def list_rules(request: web.Request) -> web.Response:
    return json_answer(await request.app[SERVICES].workbench.listed(request[PRINCIPAL].tenant))


async def get_words(request: web.Request) -> web.Response:
    services = request.app[SERVICES]
    ruleset = services.workbench.ruleset
    clauses = {name: f"{clause.document} {clause.article}" for name, clause in ruleset.clauses.items()}
    return json_answer(RuleWords(dict(services.workbench.schema), list(CATEGORIES), clauses, list(ruleset.contexts)))


async def get_file(request: web.Request) -> web.Response:
    query = request[QUERY]
    return json_answer(await request.app[SERVICES].workbench.file(query["path"] or "", query["version"]))


async def save_file(request: web.Request) -> web.Response:
    """Raises RuleError with the faults of the text: it is not kept then."""
    body = await received_json(request, Saving, most=_MOST)
    return json_answer(await request.app[SERVICES].workbench.save(request[PRINCIPAL].actor, body))


async def lint_rule(request: web.Request) -> web.Response:
    found = await request.app[SERVICES].rule_trial.lint(await received_json(request, RuleDraft, most=_MOST))
    return json_answer(replace(found, faults=_told(request, found.faults)))


async def try_rule(request: web.Request) -> web.Response:
    body = await received_json(request, TryThis, most=_MOST)
    found = await request.app[SERVICES].rule_trial.attempt(request[PRINCIPAL].tenant, body)
    return json_answer(replace(found, faults=_told(request, found.faults)))


def _told(request: web.Request, faults: list[Fault]) -> list[Fault]:
    return [fault_in_chinese(fault) for fault in faults] if reads_chinese(request) else faults


async def start_dry_run(request: web.Request) -> web.Response:
    """202: it goes on beside the service, and `get_dry_run` tells how."""
    body = await received_json(request, RunThis, most=_MOST)
    return json_answer(await request.app[SERVICES].dry_runs.start(request[PRINCIPAL].actor, body), status=202)


async def get_dry_run(request: web.Request) -> web.Response:
    runs, path = request.app[SERVICES].dry_runs, request[QUERY]["path"] or ""
    return json_answer(await runs.latest(request[PRINCIPAL].tenant, path))


async def stop_dry_run(request: web.Request) -> web.Response:
    runs, path = request.app[SERVICES].dry_runs, request[QUERY]["path"] or ""
    return json_answer(await runs.stop(request[PRINCIPAL].actor, path))


async def get_shadow(request: web.Request) -> web.Response:
    shadows, rule = request.app[SERVICES].shadows, request[QUERY]["rule"] or ""
    return json_answer(await shadows.trial(request[PRINCIPAL].tenant, rule))


async def publish_rule(request: web.Request) -> web.Response:
    body = await received_json(request, Publishing)
    return json_answer(await request.app[SERVICES].workbench.publish(request[PRINCIPAL].actor, body))


async def cancel_release(request: web.Request) -> web.Response:
    body = await received_json(request, Cancelling)
    return json_answer(await request.app[SERVICES].workbench.cancel(request[PRINCIPAL].actor, body.release))
