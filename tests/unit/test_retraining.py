"""Learning on from labels: what is learnt, what is held back, and what is refused."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from monitor.adapters.ml.fitting import GramFitter, code
from monitor.domain.errors import InputError
from monitor.domain.labelled import Labelled
from monitor.domain.labels import Label, Withdrawn, learnt_from
from monitor.engine.grams import Grams
from monitor.services.building import Maker, Plan, built
from monitor.services.comparing import compared
from monitor.services.lifecycle import ALL, Choice, Lifecycle, ModelState
from monitor.services.models import Model
from monitor.services.retraining import NEWEST, TEST, Retraining, split_up
from monitor.services.training import Recipe
from tests.fakes.registry import GRAMS, MemoryRegistry
from tests.fakes.store import MemoryStore
from tests.faults.inside import START, Clock
from tests.faults.streams import tables
from tests.unit.test_lifecycle import Kept

SAID = {"minors": ("小朋友拿爸妈手机下单{}", "初中生自己来刷{}个礼物"),
        "absolute_claim": ("全网第一{}款", "史上最好{}号")}
LAWFUL = ("今天天气好{}", "晚上好欢迎{}", "这款有{}种颜色", "下播了明天见{}")
DAY = 86_400_000
NOON = 1_700_000_000_000


def lines(*categories: str, n: int = 24, briefs: Sequence[str] = "abcdef", mark: str = "") -> list[Labelled]:
    found = [Labelled(text=said.format(f"{mark}{i}"), labels=[category], type="V", brief=briefs[i % len(briefs)])
             for category in categories for said in SAID[category] for i in range(n)]
    return found + [Labelled(text=said.format(f"{mark}{i}"), labels=[], type="N" if i % 2 else "O",
                             brief=briefs[i % len(briefs)]) for said in LAWFUL for i in range(n)]


def labelled(of: Sequence[Labelled], *, prefix: str = "l") -> list[Label]:
    return [Label(id=f"{prefix}{i}", text=line.text, labels=line.labels, near="minors" if line.type == "N" else "",
                  at=NOON - (i * 7 % len(of)) * DAY) for i, line in enumerate(of)]


TESTED = lines("absolute_claim", n=8, mark="试")


class Spy(GramFitter):
    """Remembers the texts that were learnt."""

    seen: list[str]

    def features(self, some: Sequence[Labelled]) -> Any:
        self.seen += [line.text for line in some]
        return super().features(some)


class House:
    def __init__(self, serving: Model | None = None) -> None:
        self.store, self.registry, self.logger = MemoryStore(), MemoryRegistry("base/1"), Kept()
        if serving is not None:
            self.registry.add(serving, "# good")
            self.registry.set_state(ModelState(tenants={ALL: Choice(serving=serving.manifest.id)}))
        self.seen: list[str] = []
        self.reloads = 0
        self.deeds: list[tuple[str, str, str, str]] = []

        async def reload() -> None:
            self.reloads += 1

        life = Lifecycle(self.registry, reload, clock=Clock(), logger=self.logger)
        self.training = Retraining(self.store, self.registry, life, tables(), self.maker, clock=Clock(),
                                   logger=self.logger, record=self.record)

    async def record(self, deeds) -> None:
        self.deeds += [(deed.tenant, deed.by, deed.what, deed.on) for deed in deeds]

    def maker(self, recipe: Recipe, grams: Grams) -> tuple[Maker, str]:
        spy = Spy(tables(), grams, recipe)
        spy.seen = self.seen
        return spy, code()


def good() -> Model:
    """Knows both categories well."""
    recipe = Recipe()
    plan = Plan(name="good", version="1", recipe=recipe, grams=GRAMS, categories=["absolute_claim", "minors"],
                code="", now=START)
    return built(plan, GramFitter(tables(), GRAMS, recipe), tables(), lines("minors", "absolute_claim"), [])


async def test_a_better_candidate_is_kept_and_tried_in_the_shadow() -> None:
    house = House()
    await house.store.save_labels("agency", labelled(lines("minors", mark="号")))
    verdict = await house.training.run("agency", lines("absolute_claim"), TESTED, by="li")
    assert (verdict.model, verdict.against, verdict.refused) == ("agency/1", "base/1", "")
    assert verdict.comparisons[TEST].better and verdict.comparisons[NEWEST].better
    choice = house.registry.state().of("agency")
    assert (house.registry.ids(), choice.shadow, choice.by) == (["agency/1"], "agency/1", "li")
    assert list(house.registry.state().tenants) == ["agency"]
    manifest = house.registry.manifest("agency/1")
    assert manifest.tenant == "agency", "it judges no other tenant's events"
    assert manifest.categories == ["absolute_claim", "minors"] and manifest.metrics["test"]["macro_f1"] > 0.9
    assert sum(manifest.lines.values()) == verdict.learnt
    assert house.reloads == 1 and [event for event, _ in house.logger.lines] == ["model_trained", "model_shadowed"]
    assert house.deeds == [("agency", "li", "training.begin", "agency")]
    again = await house.training.run("agency", lines("absolute_claim"), TESTED, by="li")
    assert again.model == "agency/2", "a version never changes"


async def test_a_worse_candidate_is_refused_with_the_figures() -> None:
    house = House(good())
    await house.store.save_labels("local", labelled(lines("minors", n=3, mark="号")))
    few = lines("minors", n=12)  # knows nothing of absolute claims
    verdict = await house.training.run("local", few, lines("minors", "absolute_claim", mark="试"), by="li")
    assert verdict.refused == "it is worse on the held-out test"
    assert verdict.comparisons[TEST].macro_f1.high < 0
    assert (house.registry.ids(), house.registry.state().of("local").shadow, house.reloads) == (["good/1"], "", 0)
    (_, facts), = house.logger.lines
    assert facts["refused"] and "macro-F1" in facts["figures"][TEST]


async def test_no_other_tenants_labels_and_nothing_of_the_tests_is_learnt() -> None:
    house = House()
    own, others = labelled(lines("minors", mark="号")), labelled(lines("minors", mark="别"), prefix="x")
    await house.store.save_labels("agency", own)
    await house.store.save_labels("other", others)
    corpus = [*lines("absolute_claim"), *TESTED[:5], Labelled(text=others[0].text + "吗", labels=["care"], brief="a")]
    verdict = await house.training.run("agency", corpus, TESTED, by="")
    learnt = house.seen[: verdict.learnt]
    newest = sorted(own, key=lambda label: (-label.at, label.id))[: len(own) // 5]
    assert len(learnt) == len(lines("absolute_claim")) + 1 + len(own) - len(newest)
    assert not set(learnt) & {label.text for label in others}
    assert not set(learnt) & {line.text for line in TESTED}
    assert not set(learnt) & {label.text for label in newest}
    assert {label.text for label in own} - {label.text for label in newest} <= set(learnt)


async def test_what_was_withdrawn_is_not_learnt() -> None:
    house = House()
    own = labelled(lines("minors", mark="号"))
    await house.store.save_labels("agency", own)
    gone = [label for label in own if label.labels][:10]
    for label in gone:
        await house.store.withdraw_label("agency", label.id, Withdrawn(by="li", at=NOON))
    await house.training.run("agency", lines("absolute_claim"), TESTED, by="")
    assert not {label.text for label in gone} & set(house.seen)


@pytest.mark.parametrize("amount", [0, 9])
async def test_too_few_labels(amount: int) -> None:
    house = House()
    await house.store.save_labels("local", labelled(lines("minors"))[:amount])
    await house.store.save_labels("other", labelled(lines("minors")))
    with pytest.raises(InputError, match=f"local has {amount} labels") as caught:
        await house.training.run("local", lines("minors"), lines("minors", n=8), by="")
    assert "labels import" in caught.value.hint and house.seen == []


async def test_nothing_to_test_on_no_classifier_or_labels_of_another_kind() -> None:
    house = House()
    await house.store.save_labels("local", labelled(lines("minors")))
    with pytest.raises(InputError, match="base is the name of the model"):
        await house.training.run("base", lines("minors"), lines("minors", n=8), by="")
    with pytest.raises(InputError, match="nothing to test on"):
        await house.training.run("local", lines("minors"), [], by="")
    strange = [Labelled(text=f"怪{i}", labels=["strange"], brief="a") for i in range(20)]
    with pytest.raises(InputError, match="outside the taxonomy: strange"):
        await house.training.run("local", [*lines("minors"), *strange], lines("minors", n=8), by="")
    house.registry._base = ""
    with pytest.raises(InputError, match="no classifier judges"):
        await house.training.run("local", lines("minors"), lines("minors", n=8), by="")


def test_a_fifth_of_the_labels_is_held_back_and_care_is_not_learnt() -> None:
    labels = [learnt_from(label) for label in labelled(lines("minors", n=2, mark="号"))]
    split = split_up([Labelled(text="不想活了", labels=["care"])], labels, lines("minors", n=1))
    assert split.tests[NEWEST] == labels[: len(labels) // 5]
    assert split.lines[0].labels == [] and len(split.lines) == 1 + len(labels) - len(labels) // 5


def test_a_paired_bootstrap_is_sure_of_what_is_clear_and_not_of_chance() -> None:
    wanted = np.tile(np.array([[True], [False]]), (100, 1))
    types = ["V", "N"] * 100
    none, right = np.zeros_like(wanted), wanted.copy()
    found = compared(wanted, right, none, types, seed=1)
    assert found.worse and not found.better and (found.macro_f1.before, found.macro_f1.after) == (1, 0)
    assert compared(wanted, none, right, types, seed=1).better
    alike = right.copy()
    alike[0] = False
    found = compared(wanted, right, alike, types, seed=1)
    assert not found.worse and found.macro_f1.low < 0 == found.macro_f1.high
    loud = wanted | True
    assert compared(wanted, right, loud, types, seed=1).hard_alarms.low > 0
    nothing = compared(wanted[1:2], none[1:2], loud[1:2], ["O"], seed=1)
    assert not nothing.worse and not nothing.better and np.isnan(nothing.hard_alarms.low)
    assert compared(wanted, right, alike, types, seed=1) == compared(wanted, right, alike, types, seed=1)
