"""The card of a model: what it is, what it was measured on, and what it cannot do."""

from collections.abc import Mapping
from typing import Any, Final

from monitor.services.models import Manifest

_LIMITS = """\
## What it cannot do

- It was trained on invented lines. No recorded speech, no label by a reviewer at a post, no lawyer's: real rooms are
  harder.
- It reads one line at a time. What only the lines before, the picture, the product or the price list would tell, it
  misses.
- It knows wordings like those it has seen. New slang, dialects and roundabout hints score low; that says nothing of
  their being lawful.
- Few lines of each category were in the test, so look at the intervals, not at the second digit.
- A score is a reason to look, not a verdict. Nobody is judged by it, and no person is scored: only what was said.
- It does not look for people in need; rules of the tier care do.
"""


def card(manifest: Manifest) -> str:
    """Markdown."""
    grams = manifest.grams
    parts = [
        f"# {manifest.id}\n",
        f"One-vs-rest linear classifier ({manifest.recipe}) of {len(manifest.categories)} labels over hashed n-grams: "
        f"{_sizes(grams.characters)} of characters, {_sizes(grams.syllables)} of syllables, {grams.buckets:,} buckets; "
        f"kind of event and role of the speaker weigh little{_told(manifest)}. Probabilities are calibrated (Platt) on "
        "lines of briefs that the scoring model had not seen. Contact data is not read.\n",
        f"Trained on {sum(manifest.lines.values()):,} lines ("
        + ", ".join(f"{n:,} {_TYPES.get(kind, kind or 'unspecified')}" for kind, n in sorted(manifest.lines.items()))
        + f"), seed {manifest.seed}.\n",
    ]
    for name, title in (("validation", "Cross-fitted over the briefs of the training lines"),
                        ("test", "Held-out test: briefs of which no line was trained on"),
                        ("together", "The same, with the shipped rules beside it")):
        if name in manifest.metrics:
            parts.append(f"## {title}\n\n{table(manifest.metrics[name], manifest)}\n")
            parts.append(f"{slices(manifest.metrics[name])}\n")
            if rounding := manifest.metrics[name].get("rounding"):
                parts.append(f"Rounding the weights changes a probability by {rounding['largest']:.0e} at most, and "
                             f"{rounding['changed']:,} of {rounding['decisions']:,} decisions.\n")
    return "\n".join([*parts, _LIMITS])


_TYPES: Final = {"V": "violations", "E": "evasively spelled violations", "N": "hard negatives", "O": "ordinary"}


def _told(manifest: Manifest) -> str:
    return f"; so do the room's verticals: {', '.join(manifest.verticals)}" if manifest.verticals else ""


def _sizes(sizes: tuple[int, ...]) -> str:
    return "–".join(str(size) for size in (min(sizes), max(sizes))) if sizes else "none"


def table(metrics: dict[str, Any], manifest: Manifest) -> str:
    """The totals, then a row for each category."""
    low, high = metrics["macro_f1_95"]
    lines = [
        f"{metrics['lines']:,} lines · macro-F1 **{metrics['macro_f1']:.3f}** (95 %: {low:.3f}–{high:.3f}) · recall "
        f"{metrics['recall']:.3f} · precision {metrics['precision']:.3f} · PR-AUC {metrics['pr_auc']:.3f} · ECE "
        f"{metrics['ece']:.4f} · alarms on hard negatives {metrics['hard_alarms']:.1%}, on ordinary speech "
        f"{metrics['ordinary_alarms']:.2%} · recall on evasive lines {metrics['evasive_recall']:.3f}",
        "",
        "| category | lines | precision | recall | F1 | PR-AUC | hard alarms | threshold alone / amid words / beside a "
        "rule |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, each in metrics["categories"].items():
        limit = manifest.thresholds[name]
        numbers = " | ".join(f"{each[key]:.2f}" for key in ("precision", "recall", "f1", "pr_auc"))
        lines.append(f"| {name} | {each['wanted']} | {numbers} | {each['hard_alarms']} | {limit.alone:.2f} / "
                     f"{limit.enough_amid:.2f} / {limit.beside:.2f} |")
    return "\n".join(lines)


def slices(metrics: dict[str, Any]) -> str:
    """A row for each part of the lines: kinds, trades, disguise, lengths in code points."""
    lines = ["| lines of | lines | macro-F1 | recall | hard alarms | ordinary alarms |", "|---|---|---|---|---|---|"]
    for name, each in metrics["slices"].items():
        numbers = " | ".join(f"{each[key]:.2f}" for key in ("macro_f1", "recall"))
        alarms = " | ".join(f"{each[key]:.1%}" for key in ("hard_alarms", "ordinary_alarms"))
        lines.append(f"| {name} | {each['lines']:,} | {numbers} | {alarms} |".replace("nan%", "–").replace("nan", "–"))
    return "\n".join(lines)


def compared(shown: Mapping[str, Mapping[str, Any]]) -> str:
    """A row for each model and what it was measured on. `shown`: metrics by the model's name."""
    lines = ["| learnt | measured on | macro-F1 | PR-AUC | recall | evasive | hard alarms | ordinary alarms |",
             "|---|---|---|---|---|---|---|---|"]
    for name, metrics in shown.items():
        for part, each in metrics.items():
            numbers = " | ".join(f"{each[key]:.3f}" for key in ("macro_f1", "pr_auc", "recall", "evasive_recall"))
            alarms = f"{each['hard_alarms']:.1%} | {each['ordinary_alarms']:.2%}"
            lines.append(f"| {name} | {part} | {numbers} | {alarms} |")
    return "\n".join(lines)
