"""contexts.yml: ways of speaking that many rules spare, each written once."""

from typing import Final

from monitor.adapters.rulefiles import keys
from monitor.adapters.rulefiles.faults import Faults
from monitor.adapters.rulefiles.fields import NAME, Fields, items_of
from monitor.adapters.rulefiles.nodes import Node, Table, parse
from monitor.adapters.rulefiles.selections import MAX_WITHIN, Lists, read_patterns, read_terms, read_unless
from monitor.domain.phrases import phrase
from monitor.domain.rules import Context, ContextPart, Side

FILE: Final = "contexts.yml"


def read_contexts(path: str, data: bytes, faults: Faults) -> dict[str, Context]:
    """The contexts by name, as far as they can be read."""
    root = parse(data, faults)
    if root is None:
        return {}
    fields = Fields(root, faults, phrase("the file"), keys.CONTEXTS)
    fields.require("contexts")
    turns = tuple(word for word, _ in fields.words("turns"))
    said = fields.node("contexts")
    found: dict[str, Context] = {}
    if said is not None and not isinstance(said, Table):
        faults.add(said, "contexts must be a table of names", "write negation: {title: …, parts: […]}")
    for name, node in said.pairs if isinstance(said, Table) else []:
        if not NAME.fullmatch(name.value):
            faults.add(name, phrase("{value} cannot name a context", value=name.value),
                       "small letters, digits and _, a letter first")
        inner = Fields(node, faults, phrase("the context {name}", name=name.value), keys.CONTEXT)
        inner.require("title", "parts")
        parts = inner.node("parts")
        unless, unless_patterns = read_unless(inner, Lists({}))
        found[name.value] = Context(
            name=name.value, title=inner.text("title"), turns=turns, path=path, line=name.line,
            unless=unless, unless_patterns=unless_patterns,
            parts=tuple(_part(item, faults) for item in items_of(parts, faults, "parts")) if parts is not None else (),
        )
    return found


def _part(node: Node, faults: Faults) -> ContextPart:
    fields = Fields(node, faults, phrase("the part"), keys.CONTEXT_PART)
    fields.require("side", "within")
    terms, patterns = fields.node("terms"), fields.node("patterns")
    if terms is None and patterns is None and not fields.strangers:
        faults.add(fields.at, "the part looks for nothing", "add terms or patterns")
    return ContextPart(
        terms=read_terms(terms, Lists({}), faults, "terms") if terms is not None else (),
        patterns=read_patterns(patterns, faults) if patterns is not None else (),
        side=fields.choice("side", Side) or Side.BEFORE,
        within=fields.whole("within", most=MAX_WITHIN),
        commas=fields.flag("commas") if "commas" in fields else True,
    )
