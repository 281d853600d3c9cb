"""The benchmark's rules as a rules folder, so that the service loads them as it loads any."""

from pathlib import Path

import yaml

from tests.bench import corpus

CLEAN = "今天天气不错"


def write(folder: Path, seed: int) -> None:
    """1,000 rules of ten terms and 80 of one pattern: the engine benchmark's, each with a case for and against."""
    (folder / "bench").mkdir(parents=True)
    (folder / "bench/pack.yml").write_text("id: bench\ntitle: bench\nversion: 1\n", encoding="utf-8")
    clause = {
        "id": "B-1", "document": "benchmark", "issuer": "nobody", "article": "one", "requirement": "none",
        "confidence": "high", "categories": ["absolute_claim"],
    }
    (folder / "clauses.yml").write_text(yaml.safe_dump([clause], sort_keys=False), encoding="utf-8")
    rules, _, _ = corpus.rules(seed)
    samples = corpus.pattern_samples(seed)
    for rule in rules:
        detection: dict[str, object] = {}
        for selection in rule.selections:
            if selection.patterns:
                detection[selection.name] = {"patterns": list(selection.patterns)}
                text = samples[selection.patterns[0]]
            else:
                detection[selection.name] = list(selection.terms)
        if "about" in detection:
            detection["condition"] = "claim and about"
            text = rule.selections[0].terms[0] + "，" + rule.selections[1].terms[0]
        else:
            detection["condition"] = "claim"
            text = text if rule.selections[0].patterns else rule.selections[0].terms[0]
        body = {
            "id": rule.id, "title": rule.title, "tier": "redline", "category": ["absolute_claim"], "severity": "high",
            "status": "active", "clauses": ["B-1"], "applies": {"speakers": "any"}, "detection": detection,
            "cases": [{"text": text, "expect": ["claim"]}, {"text": CLEAN, "expect": "none"}],
        }
        path = folder / f"bench/{rule.id.split('.')[1]}.yml"
        path.write_text(yaml.safe_dump(body, allow_unicode=True, sort_keys=False), encoding="utf-8")


