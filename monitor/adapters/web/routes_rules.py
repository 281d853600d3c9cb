"""The routes of the rules workbench. Rules are the whole service's, so they are the operator's own people's."""

from typing import Final

from monitor.adapters.web.handling import Route
from monitor.adapters.web.rulework import (
    FILE_PARAMS,
    RUN_PARAMS,
    SHADOW_PARAMS,
    Cancelling,
    RuleWords,
    cancel_release,
    get_dry_run,
    get_file,
    get_shadow,
    get_words,
    lint_rule,
    list_rules,
    publish_rule,
    save_file,
    start_dry_run,
    stop_dry_run,
    try_rule,
)
from monitor.services.dryrecords import DryRun, RunThis
from monitor.services.ruleeditions import Edition, FileView, Publishing, RuleList, RuleRelease, Saving
from monitor.services.ruletrying import Linted, RuleDraft, TriedRules, TryThis
from monitor.services.shadows import ShadowTrial

_API: Final = "/api/v1/rules"
_BODY: Final = (400, 408, 413, 415, 429, 503)


RULE_ROUTES: Final[tuple[Route, ...]] = (
    Route(
        method="GET", path=_API, name="listRules", scope="admin", handler=list_rules,
        summary="All rules with their figures of 30 days, all files with their versions, and what is to be published.",
        answer=RuleList, errors=(503,), timed=True,
    ),
    Route(
        method="GET", path=f"{_API}/words", name="getRuleWords", scope="admin", handler=get_words,
        summary="What a rule file may say: its JSON Schema, categories, clauses, contexts.", answer=RuleWords,
    ),
    Route(
        method="GET", path=f"{_API}/file", name="getRuleFile", scope="admin", handler=get_file,
        summary="A file of the rules: its text, every version, and which of them judges.",
        params=FILE_PARAMS, answer=FileView, errors=(400, 404, 503),
    ),
    Route(
        method="PUT", path=f"{_API}/file", name="saveRuleFile", scope="admin", handler=save_file,
        summary="Keep a new version of a file, once its rules load; its cases are run. It judges nothing yet.",
        body=Saving, answer=Edition, errors=(409, *_BODY),
    ),
    Route(
        method="POST", path=f"{_API}/lint", name="lintRule", scope="admin", handler=lint_rule,
        summary="The faults of a text in place of a file, and its cases that do not hold.",
        body=RuleDraft, answer=Linted, errors=_BODY,
    ),
    Route(
        method="POST", path=f"{_API}/try", name="tryRule", scope="admin", handler=try_rule,
        summary="What the rules make of words, or of a room's last minutes, with a text in place of a file.",
        body=TryThis, answer=TriedRules, errors=_BODY,
    ),
    Route(
        method="POST", path=f"{_API}/dryrun", name="startDryRun", scope="admin", handler=start_dry_run,
        summary="Hold a text of a file against the tenant's events of the last 2 or 24 hours, beside the service.",
        body=RunThis, answer=DryRun, status=202, errors=(409, *_BODY),
    ),
    Route(
        method="GET", path=f"{_API}/dryrun", name="getDryRun", scope="admin", handler=get_dry_run,
        summary="How the latest dry run of a file goes, or what came of it.",
        params=RUN_PARAMS, answer=DryRun, errors=(400, 404, 503),
    ),
    Route(
        method="DELETE", path=f"{_API}/dryrun", name="stopDryRun", scope="admin", handler=stop_dry_run,
        summary="Stop the dry run of a file, whoever started it.",
        params=RUN_PARAMS, answer=DryRun, errors=(400, 404, 409, 503),
    ),
    Route(
        method="GET", path=f"{_API}/shadow", name="getRuleShadow", scope="admin", handler=get_shadow,
        summary="What a rule in the shadow found in the tenant's rooms, and what others made of the same events.",
        params=SHADOW_PARAMS, answer=ShadowTrial, errors=(400, 404, 503),
    ),
    Route(
        method="POST", path=f"{_API}/publish", name="publishRule", scope="admin", handler=publish_rule,
        summary="Let a version of a file judge, now or at a time; 0 goes back to the rules folder.",
        body=Publishing, answer=RuleRelease, errors=(404, 409, *_BODY),
    ),
    Route(
        method="POST", path=f"{_API}/cancel", name="cancelRelease", scope="admin", handler=cancel_release,
        summary="Take back what was to be published later.",
        body=Cancelling, answer=RuleRelease, errors=(404, 409, *_BODY),
    ),
)
