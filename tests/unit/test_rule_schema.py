"""The schema for editors agrees with the loader: what loads is valid, what the loader refuses by name is not."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from monitor.adapters.rulefiles import keys
from monitor.adapters.rulefiles.schema import rule_schema

RULES = sorted((Path(__file__).parents[2] / "rules").glob("*/**/*.yml"))
VALIDATOR = jsonschema.Draft202012Validator(rule_schema())


class _Texts(yaml.SafeLoader):
    """Dates stay texts, as the rules' own reader takes them."""


_Texts.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read(text: str) -> Any:
    return yaml.load(text, _Texts)  # noqa: S506 - a SafeLoader


def test_every_shipped_rule_is_valid() -> None:
    paths = [path for path in RULES if path.name != "pack.yml"]
    assert len(paths) > 50
    for path in paths:
        errors = [f"{path}: {e.json_path}: {e.message}" for e in VALIDATOR.iter_errors(read(path.read_text("utf-8")))]
        assert not errors, errors


@pytest.mark.parametrize(
    "change",
    [{"severity": "grave"}, {"colour": "red"}, {"detection": {"claim": ["全网最好"]}}, {"category": ["politics"]},
     {"detection": {"claim": {"term": ["全网最好"]}, "condition": "claim"}}, {"id": "Shop.x"},
     {"cases": [{"text": "x"}]}, {"applies": {"kinds": ["signal"]}}],
)
def test_what_the_loader_refuses_by_name_is_not_valid(change: dict[str, Any]) -> None:
    rule = read((Path(__file__).parents[2] / "rules/core-commerce/absolute_claim/unique.yml").read_text("utf-8"))
    assert VALIDATOR.is_valid(rule)
    assert not VALIDATOR.is_valid(rule | change)


def test_it_knows_every_key() -> None:
    properties = rule_schema()["properties"]
    assert set(properties) == set(keys.RULE)
    selection = properties["detection"]["additionalProperties"]["oneOf"][1]
    assert set(selection["properties"]) == set(keys.SELECTION)
    case, in_time = properties["cases"]["items"]["oneOf"]
    assert set(case["properties"]) == set(keys.CASE)
    assert set(in_time["properties"]) == set(keys.CORRELATION_CASE)
    assert set(properties["correlation"]["properties"]) == set(keys.CORRELATION)
