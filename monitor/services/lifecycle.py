"""The life of models: which one serves, which one is tried in the shadow, and the way back; for all tenants, or for one
that has a model of its own. Each step has an author.

A model that is promoted judges through a reload of the rules: the new engine set has a version of its own, so a re-read
of the log judges each part by the model that judged it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from monitor.domain import tenants
from monitor.domain.audit import Deed
from monitor.domain.errors import ConfigError, InputError, RedpostError
from monitor.domain.phrases import phrase
from monitor.services.models import Manifest, Model
from monitor.services.paging import packed_cursor, unpacked_cursor
from monitor.services.ports import Clock, Logger

STATE_FORMAT: Final = 2
_keys: Final = msgspec.json.Decoder(tuple[str])
ALL: Final = "*"
"""Stands for every tenant that has no model of its own; no name of a tenant."""


class Choice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For one tenant, or for ALL. Ids are name/version. `serving` "": the model that the settings name, for a tenant
    the one that serves ALL; `shadow` "": none; `previous` None: nothing to go back to. `what`, `by`, `at`: the latest
    step, who took it, and when (UTC ms)."""

    serving: str = ""
    shadow: str = ""
    previous: str | None = None
    what: str = ""
    by: str = ""
    at: int = 0


class ModelState(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    format: int = STATE_FORMAT
    tenants: dict[str, Choice] = {}

    def of(self, tenant: str) -> Choice:
        return self.tenants.get(tenant, Choice())

    def serving(self, tenant: str) -> str:
        """The id of what judges this tenant's events; "": the model that the settings name."""
        return self.of(tenant).serving or self.of(ALL).serving


class Registry(Protocol):
    """Where models are kept. Versions never change. Files: every call may take a while."""

    def base(self) -> str:
        """The id of the model that the settings name; "" where they say that none judges."""
        ...

    def ids(self) -> list[str]:
        """Of all that are kept, by name, then version; sound or not."""
        ...

    def manifest(self, model: str) -> Manifest:
        """Raises NotFound for an unknown id, ConfigError for what is no sound manifest."""
        ...

    def model(self, model: str) -> Model:
        """Raises NotFound for an unknown id, ConfigError for a model that is not sound."""
        ...

    def card(self, model: str) -> str:
        """Markdown. Raises as `manifest`."""
        ...

    def add(self, model: Model, card: str) -> Manifest:
        """Keep a model under the id of its manifest; the manifest as written. Raises ConfigError where one is."""
        ...

    def state(self) -> ModelState:
        """Raises ConfigError for a state that is none."""
        ...

    def set_state(self, state: ModelState) -> None:
        """In full or not at all. Raises StorageError."""
        ...


class ModelSummary(Struct, frozen=True, kw_only=True):
    """`role`: what it is for all tenants without a model of their own (serving, shadow, previous, or ""), `tenants`:
    what it is for others. `tenant`: whose labels it learnt from, "" for nobody's. `macro_f1`, `hard_alarms`: on the
    held-out test, null where there was none. `fault`: why it cannot serve."""

    id: str
    role: str
    tenants: dict[str, str] = {}
    tenant: str = ""
    created_at: int = 0
    recipe: str = ""
    lines: int = 0
    macro_f1: float | None = None
    hard_alarms: float | None = None
    fault: str = ""


class ModelList(Struct, frozen=True):
    """`next` is the cursor of the following page, None at the end."""

    models: list[ModelSummary]
    state: ModelState
    next: str | None = None


class Lifecycle:
    """`reload` lets the running engine judge by what the state says; where it refuses, the state is as before.

    Each step is for one `tenant`, or for ALL; None: for the tenant whose labels the model learnt from, else for ALL.
    """

    def __init__(
        self, registry: Registry, reload: Callable[[], Awaitable[object]], *, clock: Clock, logger: Logger,
        record: Callable[[Sequence[Deed]], Awaitable[None]] | None = None,
    ) -> None:
        """`record`: writes into the trail."""
        self._record = record
        self._registry, self._reload, self._clock, self._logger = registry, reload, clock, logger
        self._one_at_a_time = asyncio.Lock()

    async def listed(self, *, cursor: str | None = None, limit: int | None = None) -> ModelList:
        """Raises InputError for a bad cursor."""
        after = None if cursor is None else unpacked_cursor(cursor, _keys)[0]
        return await asyncio.to_thread(listed, self._registry, after=after, limit=limit)

    async def card(self, model: str) -> str:
        """Raises NotFound, or ConfigError for a folder that holds no sound model."""
        return await asyncio.to_thread(self._registry.card, model)

    async def promote(self, model: str, *, by: str, tenant: str | None = None) -> ModelState:
        """From here on in the log, this model judges. Raises NotFound, or InputError for one that cannot serve."""
        return await self._step("promoted", by, promoted, model, tenant)

    async def shadow(self, model: str, *, by: str, tenant: str | None = None) -> ModelState:
        """This model scores a sample beside the serving one; "" ends that. Raises as `promote`."""
        return await self._step("shadowed", by, shadowed, model, tenant)

    async def roll_back(self, *, by: str, tenant: str | None = None) -> ModelState:
        """What served before serves again. `tenant` None: whoever has something to go back to, where that is one.

        Raises InputError where nothing did.
        """
        return await self._step("rolled_back", by, rolled_back, tenant)

    async def _step(self, what: str, by: str, decide: "Decide", *facts: str | None) -> ModelState:
        async with self._one_at_a_time:
            before = await asyncio.to_thread(self._registry.state)
            tenant, choice = await asyncio.to_thread(decide, self._registry, before, *facts)
            choice = replace(choice, what=what, by=by, at=self._clock.now())
            after = replace(before, tenants={**before.tenants, tenant: choice})
            await asyncio.to_thread(self._registry.set_state, after)
            try:
                await self._reload()
            except RedpostError:
                await asyncio.to_thread(self._registry.set_state, before)
                raise
            self._logger.info(f"model_{what}", tenant=tenant, serving=after.serving(tenant) or self._registry.base(),
                              shadow=choice.shadow, previous=choice.previous, by=by)
            if self._record is not None:
                whose = tenants.LOCAL if tenant == ALL else tenant
                await self._record([Deed(
                    tenant=whose, by=by or "unknown", at=choice.at, what=f"model.{what}",
                    on=after.serving(tenant) or self._registry.base() or "none",
                    facts={"tenant": tenant, "shadow": choice.shadow, "previous": choice.previous})])
            return after


Decide = Callable[..., tuple[str, Choice]]
"""Gives whose choice is another one now, and the choice."""


def listed(registry: Registry, *, after: str | None = None, limit: int | None = None) -> ModelList:
    """The one that the settings name, then all that are kept; those behind the model `after`. Raises InputError where
    there is none such."""
    state, base = registry.state(), registry.base()
    ids = registry.ids()
    every = ([] if base in ids or not base else [base]) + ids
    if after is not None and after not in every:
        raise InputError(phrase("there is no model {after} any more", after=after[:80]),
                         hint="start again without a cursor")
    rest = every if after is None else every[every.index(after) + 1:]
    shown = rest[:limit]
    more = len(rest) > len(shown)
    return ModelList([_summary(registry, state, each) for each in shown], state,
                     packed_cursor((shown[-1],)) if more else None)


def _summary(registry: Registry, state: ModelState, model: str) -> ModelSummary:
    own = {tenant: role for tenant, choice in sorted(state.tenants.items())
           if tenant != ALL and (role := _role(choice, model))}
    role = _role(state.of(ALL), "" if model == registry.base() else model)
    try:
        found = registry.manifest(model)
    except ConfigError as error:
        return ModelSummary(id=model, role=role, tenants=own, fault=error.message)
    test = found.metrics.get("test", {})
    return ModelSummary(
        id=model, role=role, tenants=own, tenant=found.tenant, created_at=found.created_at, recipe=found.recipe,
        lines=sum(found.lines.values()), macro_f1=test.get("macro_f1"), hard_alarms=test.get("hard_alarms"))


def _role(choice: Choice, model: str) -> str:
    """`model` "": the one that the settings name, which is no shadow."""
    if choice.serving == model:
        return "serving"
    if model and choice.shadow == model:
        return "shadow"
    return "previous" if choice.previous == model else ""


def promoted(registry: Registry, state: ModelState, model: str, tenant: str | None) -> tuple[str, Choice]:
    whose = _whose(registry, model, tenant)
    wanted, choice = _checked(registry, state, model, whose), state.of(whose)
    if wanted == choice.serving:
        raise InputError(phrase("{model} serves already", model=model),
                         hint="choose another one; `redpost model list` shows them")
    return whose, _serving(registry, state, whose, replace(choice, previous=choice.serving), wanted)


def shadowed(registry: Registry, state: ModelState, model: str, tenant: str | None) -> tuple[str, Choice]:
    whose = _whose(registry, model, tenant) if model else _named(tenant or ALL)
    choice = state.of(whose)
    if model and _checked(registry, state, model, whose) == choice.serving:
        raise InputError(phrase("{model} serves already", model=model),
                         hint="a shadow is another model than the one that serves")
    return whose, replace(choice, shadow=model)


def rolled_back(registry: Registry, state: ModelState, tenant: str | None) -> tuple[str, Choice]:
    able = sorted(each for each, choice in state.tenants.items() if choice.previous is not None)
    if tenant is None and len(able) > 1:
        raise InputError(phrase("several can go back to another model: {names}", names=", ".join(able)),
                         hint=phrase("name one of them as the tenant; {all} stands for all without a model of their "
                                     "own", all=ALL))
    whose = _named((able or [ALL])[0] if tenant is None else tenant)
    choice = state.of(whose)
    if choice.previous is None:
        raise InputError("no model was promoted, so there is none to go back to",
                         hint="`redpost model promote` takes any one that is kept")
    if choice.previous:
        _sound(registry, choice.previous)
    return whose, _serving(registry, state, whose, replace(choice, previous=None), choice.previous)


def _serving(registry: Registry, state: ModelState, whose: str, choice: Choice, model: str) -> Choice:
    """What serves is no shadow any more."""
    serves = model or (state.of(ALL).serving if whose != ALL else "") or registry.base()
    return replace(choice, serving=model, shadow="" if choice.shadow == serves else choice.shadow)


def _whose(registry: Registry, model: str, tenant: str | None) -> str:
    """Raises InputError for a tenant whose labels the model has not learnt from, where it has learnt from another's."""
    _sound(registry, model)
    owner = registry.manifest(model).tenant
    if owner and tenant not in (None, owner):
        raise InputError(phrase("{model} has learnt from the labels of {owner}, and judges no other tenant's events",
                                model=model, owner=owner),
                         hint="train a model for this tenant: `redpost retrain --tenant`")
    return owner or _named(ALL if tenant is None else tenant)


def _named(tenant: str) -> str:
    try:
        return tenant if tenant == ALL else tenants.checked(tenant)
    except ConfigError as error:
        raise InputError(error.message, hint=error.hint) from error


def _checked(registry: Registry, state: ModelState, model: str, whose: str) -> str:
    """What the choice says for this model, which is sound."""
    wanted, every = "" if model == registry.base() else model, state.of(ALL).serving
    if whose == ALL:
        return wanted
    if not wanted and every:
        raise InputError(phrase("{every} serves all tenants now, so {model} is none that {whose} could have alone",
                                every=every, model=model, whose=whose),
                         hint=phrase("roll back for all, and promote {every} for those who are to have it",
                                     every=every))
    return "" if wanted == every else wanted


def _sound(registry: Registry, model: str) -> None:
    if not registry.base():
        raise InputError("no classifier judges here: model.dir is none",
                         hint="set model.dir to a folder, or to nothing for the bundled one, and start again")
    try:
        registry.model(model)
    except ConfigError as error:
        raise InputError(phrase("{model} cannot serve: {message}", model=model, message=error.message),
                         hint=error.hint) from error
