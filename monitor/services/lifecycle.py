"""The life of models: which one serves, which one is tried in the shadow, and the way back. Each step has an author.

A model that is promoted judges through a reload of the rules: the new engine set has a version of its own, so a re-read
of the log judges each part by the model that judged it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from msgspec import Struct
from msgspec.structs import replace

from monitor.domain.errors import ConfigError, InputError, RedpostError
from monitor.services.models import Manifest, Model
from monitor.services.ports import Clock, Logger

STATE_FORMAT: Final = 1


class ModelState(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Ids are name/version. `serving` "": the model that the settings name; `shadow` "": none; `previous` None: nothing
    to go back to. `what`, `by`, `at`: the latest step, who took it, and when (UTC ms)."""

    format: int = STATE_FORMAT
    serving: str = ""
    shadow: str = ""
    previous: str | None = None
    what: str = ""
    by: str = ""
    at: int = 0


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
    """`role`: serving, shadow, previous, or "". `macro_f1`, `hard_alarms`: on the held-out test, null where there was
    none. `fault`: why it cannot serve."""

    id: str
    role: str
    created_at: int = 0
    recipe: str = ""
    lines: int = 0
    macro_f1: float | None = None
    hard_alarms: float | None = None
    fault: str = ""


class ModelList(Struct, frozen=True):
    models: list[ModelSummary]
    state: ModelState


class Lifecycle:
    """`reload` lets the running engine judge by what the state says; where it refuses, the state is as before."""

    def __init__(
        self, registry: Registry, reload: Callable[[], Awaitable[object]], *, clock: Clock, logger: Logger
    ) -> None:
        self._registry, self._reload, self._clock, self._logger = registry, reload, clock, logger
        self._one_at_a_time = asyncio.Lock()

    async def listed(self) -> ModelList:
        return await asyncio.to_thread(listed, self._registry)

    async def card(self, model: str) -> str:
        """Raises NotFound, or ConfigError for a folder that holds no sound model."""
        return await asyncio.to_thread(self._registry.card, model)

    async def promote(self, model: str, *, by: str) -> ModelState:
        """From here on in the log, this model judges. Raises NotFound, or InputError for one that cannot serve."""
        return await self._step("promoted", by, promoted, model)

    async def shadow(self, model: str, *, by: str) -> ModelState:
        """This model scores a sample beside the serving one; "" ends that. Raises as `promote`."""
        return await self._step("shadowed", by, shadowed, model)

    async def roll_back(self, *, by: str) -> ModelState:
        """What served before serves again. Raises InputError where nothing did."""
        return await self._step("rolled_back", by, rolled_back)

    async def _step(self, what: str, by: str, decide: Callable[..., ModelState], *facts: str) -> ModelState:
        async with self._one_at_a_time:
            before = await asyncio.to_thread(self._registry.state)
            after = await asyncio.to_thread(decide, self._registry, before, *facts)
            after = replace(after, what=what, by=by, at=self._clock.now())
            await asyncio.to_thread(self._registry.set_state, after)
            try:
                await self._reload()
            except RedpostError:
                await asyncio.to_thread(self._registry.set_state, before)
                raise
            self._logger.info(f"model_{what}", serving=after.serving or self._registry.base(), shadow=after.shadow,
                              previous=after.previous, by=by)
            return after


def listed(registry: Registry) -> ModelList:
    """All that are kept, and the one that the settings name."""
    state, base = registry.state(), registry.base()
    roles = {name or base: role for name, role in (
        (state.previous, "previous"), (state.shadow or None, "shadow"), (state.serving, "serving")) if name is not None}
    ids = registry.ids()
    return ModelList([_summary(registry, each, roles.get(each, ""))
                      for each in ([] if base in ids or not base else [base]) + ids], state)


def _summary(registry: Registry, model: str, role: str) -> ModelSummary:
    try:
        found = registry.manifest(model)
    except ConfigError as error:
        return ModelSummary(id=model, role=role, fault=error.message)
    test = found.metrics.get("test", {})
    return ModelSummary(
        id=model, role=role, created_at=found.created_at, recipe=found.recipe, lines=sum(found.lines.values()),
        macro_f1=test.get("macro_f1"), hard_alarms=test.get("hard_alarms"))


def promoted(registry: Registry, state: ModelState, model: str) -> ModelState:
    wanted = _checked(registry, model)
    if wanted == state.serving:
        raise InputError(f"{model} serves already", hint="choose another one; `redpost model list` shows them")
    return _serving(registry, replace(state, previous=state.serving), wanted)


def shadowed(registry: Registry, state: ModelState, model: str) -> ModelState:
    if model and _checked(registry, model) == state.serving:
        raise InputError(f"{model} serves already", hint="a shadow is another model than the one that serves")
    return replace(state, shadow=model)


def rolled_back(registry: Registry, state: ModelState) -> ModelState:
    if state.previous is None:
        raise InputError("no model was promoted, so there is none to go back to",
                         hint="`redpost model promote` takes any one that is kept")
    if state.previous:
        _checked(registry, state.previous)
    return _serving(registry, replace(state, previous=None), state.previous)


def _serving(registry: Registry, state: ModelState, model: str) -> ModelState:
    """What serves is no shadow any more."""
    shadow = "" if state.shadow == (model or registry.base()) else state.shadow
    return replace(state, serving=model, shadow=shadow)


def _checked(registry: Registry, model: str) -> str:
    """What the state says for this model, which is sound."""
    if not registry.base():
        raise InputError("no classifier judges here: model.dir is none",
                         hint="set model.dir to a folder, or to nothing for the bundled one, and start again")
    try:
        registry.model(model)
    except ConfigError as error:
        raise InputError(f"{model} cannot serve: {error.message}", hint=error.hint) from error
    return "" if model == registry.base() else model
