"""redpost rules lint · test · explain · new · template · import · schema · show · duties"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from monitor.cli.options import Rules, Serving, Speaks, TextKind

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from monitor.domain.rules import AnyRule
    from monitor.domain.rulesets import RuleSet

    T = TypeVar("T")

Folder = Annotated[Path | None, Parameter(name="DIR", help="Folder of rule packs. Default: the bundled ones.")]


def lint(
    folder: Folder = None, /, *,
    costs: Annotated[bool, Parameter(negative=(), help="Name rules that take a second look at others' texts.")] = False,
) -> int:
    """Show all faults of a rules folder, each with its line, its column and how to mend it.

    Reads and compiles everything that `redpost serve` would, whatever the rules' status.

    ```
    redpost rules lint
    redpost rules lint my-rules --costs
    ```

    Exit codes: 0 no faults, 2 faults.
    """
    from monitor.cli.loading import databases, view_tables, zone
    from monitor.cli.rules_text import tell_costs
    from monitor.cli.terminal import counted
    from monitor.domain.rules import Status
    from monitor.engine.engineset import EngineSet
    from monitor.services import casework

    every = frozenset(Status)
    found = _loaded(folder, lambda rules: EngineSet(
        rules, view_tables(), zone=zone(), statuses=every, databases=databases()))
    if found is None:
        return 2
    packs = {rule.pack for rule in found.ruleset.all()}
    print(f"{counted(len(found.ruleset.all()), 'rule')} in {counted(len(packs), 'pack')}, no faults")
    if costs:
        tell_costs(*casework.costs(found))
    return 0


def test(folder: Folder = None, /) -> int:
    """Run the cases that the rules carry, after checking the folder as `redpost rules lint` does.

    Cases run without a model, on rules of every status.

    ```
    redpost rules test
    redpost rules test my-rules
    ```

    Exit codes: 0 all cases hold, 1 some do not, 2 the rules have faults.
    """
    from monitor.cli.loading import databases, view_tables, zone
    from monitor.cli.rules_text import tell_failure
    from monitor.cli.terminal import counted
    from monitor.services.casework import run_cases

    tables = view_tables()
    done = _loaded(folder, lambda rules: (rules, *run_cases(rules, tables, zone(), databases())))
    if done is None:
        return 2
    ruleset, count, failures = done
    rules = len(ruleset.all())
    for failure in failures:
        tell_failure(failure, tables, ruleset.contexts)
    failed = {failure.rule.id for failure in failures}
    print(f"{counted(count, 'case')} of {counted(rules, 'rule')}: {count - len(failures):,} hold"
          + (f", {len(failures):,} in {counted(len(failed), 'rule')} not" if failures else ""))
    return int(bool(failures))


def explain(
    text: Annotated[str, Parameter(name="TEXT", help="What was said or written.")], /, *, rules: Rules = None,
    kind: Annotated[TextKind, Parameter(show_default=True, help="What the text is.")] = "transcript",
    speaker: Annotated[Speaks | None, Parameter(help="Who says it. Default: by the kind.")] = None,
    rule: Annotated[str, Parameter(help="Only this rule.")] = "", data: Serving = None,
    tenant: Annotated[str, Parameter(show_default=True, help="With --data: whose classifier.")] = "local",
) -> int:
    """Show what each rule makes of a text: whether it holds, by which hits, what took a hit away, and why not.

    Rules that do not judge yet, or no longer, are shown too, with their status. The classifier is that of the settings.

    ```
    redpost rules explain 不能说最好，但我们就是全网最低
    redpost rules explain 加我V信 --kind comment --speaker viewer --rule offsite_fraud.contact
    redpost rules explain 全网最低 --data /var/lib/redpost
    ```

    Exit codes: 0 no rule holds, 1 one does.
    """
    from monitor.adapters.clock import SystemClock
    from monitor.cli.loading import engine_set, told_over, told_scorer, zone
    from monitor.cli.rule_text import judges, tell_explained
    from monitor.domain.events import Event, Kind, Role, Speaker
    from monitor.engine.batch import EventBatch
    from monitor.engine.pipeline import explain as explained
    from monitor.settings import load

    event = Event(id="text", kind=Kind(kind), text=text, at=SystemClock().now(),
                  speaker=Speaker(Role(speaker)) if speaker else None)
    settings = load().settings
    over = told_over(data, settings)
    engine = engine_set(rules, "", zone(), every=True, scorer=told_scorer(data, settings, tenant), over=over)
    if rule:
        _known(rule, engine.ruleset)
    found = [each for each in explained(engine, EventBatch([event])) if rule in ("", each.rule.rule.id)]
    tell_explained(text, found)
    return int(any(judges(each) for each in found))


def new(
    rule: Annotated[str, Parameter(name="RULE", help="Its id: subject.name.")], /, *,
    to: Annotated[Path, Parameter(help="Folder of the pack; pack.yml is made where there is none.")],
    category: Annotated[str, Parameter(help="A category of the taxonomy.")],
    title: Annotated[str, Parameter(help="For people.")] = "",
) -> int:
    """Write a draft of a rule, to be filled in and then tested with `redpost rules test`.

    ```
    redpost rules new price_consumer.early_bird --to my-rules/shop --category price_consumer
    ```
    """
    from monitor.adapters.rulefiles.drafts import write_draft

    print(write_draft(to, rule, category=category, title=title))
    return 0


def template(
    file: Annotated[Path, Parameter(name="FILE", help="Its name ends in .xlsx or .csv.")], /,
) -> int:
    """Write the empty table for an agency's own norms, with an example of each tier, for `redpost rules import`.

    ```
    redpost rules template norms.xlsx
    ```
    """
    from monitor.adapters.rulefiles.normtemplate import write_template

    write_template(file)
    print(file)
    return 0


def import_(
    file: Annotated[Path, Parameter(name="FILE", help="Table of the norms, XLSX or CSV; docs/norms.md describes it.")],
    /, *, pack: Annotated[str, Parameter(help="Name of the pack, a folder of its own.")],
    rules: Annotated[Path, Parameter(show_default=True, help="Folder of rule packs to write into.")] = Path("rules"),
    issuer: Annotated[str, Parameter(help="Whose norms they are. Default: the pack's name.")] = "",
    document: Annotated[str, Parameter(help="Title of the document. Default: the file's name.")] = "",
) -> int:
    """Make drafts of rules and a clause register of an agency's own norms, and tell what they still need.

    Drafts that are there already are kept as they are; the register and the page of norms follow the table. Nothing is
    written if anything is wrong.

    ```
    redpost rules import norms.xlsx --pack star --issuer 星辰传媒 --document 主播守则
    ```
    """
    from monitor.adapters.rulefiles.importing import import_norms
    from monitor.cli.loading import databases, view_tables, zone
    from monitor.cli.rules_text import tell_faults, tell_import
    from monitor.domain.errors import RuleError
    from monitor.domain.rules import Status
    from monitor.engine.engineset import EngineSet

    every = frozenset(Status)
    try:
        done = import_norms(file, rules, pack=pack, issuer=issuer or pack, document=document or file.stem,
                            check=lambda found: EngineSet(found, view_tables(), zone=zone(), statuses=every,
                                                          databases=databases()))
    except RuleError as error:
        tell_faults(rules, error.faults)
        return 2
    tell_import(done, rules)
    return 0


def schema() -> int:
    """Print a JSON Schema of rule files, for editors.

    ```
    redpost rules schema > rule.schema.json
    ```
    """
    import json

    from monitor.adapters.rulefiles.schema import rule_schema

    print(json.dumps(rule_schema(), ensure_ascii=False, indent=2))
    return 0


def show(
    rule: Annotated[str, Parameter(name="RULE", help="The rule's id.")], /, *, rules: Rules = None,
    data: Annotated[Path | None, Parameter(
        help="Data folder of a service: as it was published there over the folder.")] = None,
) -> int:
    """Show one rule: what it says, what it rests on, its advice and its cases.

    ```
    redpost rules show absolute_claim.superlative
    redpost rules show absolute_claim.superlative --data /var/lib/redpost
    ```
    """
    from monitor.adapters.rulefiles import load
    from monitor.cli.loading import databases, rules_folder, told_over
    from monitor.cli.rule_text import tell_rule
    from monitor.settings import load as load_settings

    ruleset = load(rules_folder(rules), told_over(data, load_settings().settings), databases())
    tell_rule(_known(rule, ruleset), ruleset)
    return 0


def duties(folder: Folder = None, /) -> int:
    """Show what the operator itself must do and keep, by document: checks, records, terms, penalties.

    Duties are a checklist: nothing is judged by them, and no rule can rest on one.

    ```
    redpost rules duties
    redpost rules duties my-rules
    ```

    Exit codes: 0 shown, 2 the rules have faults.
    """
    from monitor.cli.rules_text import tell_duties

    ruleset = _loaded(folder, lambda rules: rules)
    if ruleset is None:
        return 2
    tell_duties(ruleset.duties)
    return 0


def _known(rule: str, ruleset: "RuleSet") -> "AnyRule":
    """Raises InputError where no rule has this id."""
    import difflib

    from monitor.domain.errors import InputError

    known = {each.id: each for each in ruleset.all()}
    if rule not in known:
        near = difflib.get_close_matches(rule, known, n=1, cutoff=0.5)
        raise InputError(f"there is no rule {rule!r}",
                         hint=f"did you mean {near[0]}?" if near else f"there are {len(known)} rules")
    return known[rule]


def _loaded(folder: Path | None, work: "Callable[[RuleSet], T]") -> "T | None":
    """What `work` makes of the rules; None where they, or what it compiles of them, have faults, which were told."""
    from monitor.adapters.rulefiles import load
    from monitor.cli.loading import databases, rules_folder
    from monitor.cli.rules_text import tell_faults
    from monitor.domain.errors import RuleError

    where = rules_folder(folder)
    try:
        return work(load(where, databases=databases()))
    except RuleError as error:
        tell_faults(where, error.faults)
        return None
