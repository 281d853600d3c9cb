"""The life of classifiers over HTTP."""

from typing import Final

from aiohttp import web

from monitor.adapters.web.auth import PRINCIPAL, author
from monitor.adapters.web.errors import json_answer
from monitor.adapters.web.handling import QUERY
from monitor.adapters.web.params import Param, count, text
from monitor.adapters.web.services import SERVICES
from monitor.domain.audit import Deed

MODEL_PARAMS: Final[tuple[Param, ...]] = (
    text("tenant", "Whose events it is for; `*` stands for all tenants without a model of their own. Default: the "
         "tenant whose labels it has learnt from, else `*`.", longest=64),
)
MODELS_PARAMS: Final[tuple[Param, ...]] = (
    count("limit", "How many models a page holds.", most=1_000, default=200),
    text("cursor", "`next` of the page before.", longest=1_000),
)
ROLLBACK_PARAMS: Final[tuple[Param, ...]] = (
    text("tenant", "Whose model; `*` as for a promotion. Needed where several tenants can go back.", longest=64),
)


RETRAIN_PARAMS: Final[tuple[Param, ...]] = (
    text("tenant", "Whose labels are learnt. Default: the token's tenant.", longest=64),
)


async def list_models(request: web.Request) -> web.Response:
    query = request[QUERY]
    return json_answer(await request.app[SERVICES].lifecycle.listed(cursor=query["cursor"], limit=query["limit"]))


async def get_card(request: web.Request) -> web.Response:
    card = await request.app[SERVICES].lifecycle.card(_model(request))
    return web.Response(text=card, content_type="text/markdown")


async def shadow_model(request: web.Request) -> web.Response:
    return json_answer(await request.app[SERVICES].lifecycle.shadow(
        _model(request), by=author(request[PRINCIPAL]), tenant=request[QUERY]["tenant"]))


async def promote_model(request: web.Request) -> web.Response:
    return json_answer(await request.app[SERVICES].lifecycle.promote(
        _model(request), by=author(request[PRINCIPAL]), tenant=request[QUERY]["tenant"]))


async def roll_back(request: web.Request) -> web.Response:
    return json_answer(await request.app[SERVICES].lifecycle.roll_back(
        by=author(request[PRINCIPAL]), tenant=request[QUERY]["tenant"]))


async def retrain(request: web.Request) -> web.Response:
    """202: it goes on beside the service, and `get_training` tells how."""
    services, principal, tenant = request.app[SERVICES], request[PRINCIPAL], _tenant(request)
    asked = await services.learning.start(tenant, by=author(principal))
    await services.trail.write([Deed(tenant=principal.tenant, by=principal.actor.id, at=asked.asked_at,
                                     what="training.ask", on=tenant)])
    return json_answer(asked, status=202)


async def get_training(request: web.Request) -> web.Response:
    return json_answer(await request.app[SERVICES].learning.latest(_tenant(request)))


def _tenant(request: web.Request) -> str:
    return request[QUERY]["tenant"] or request[PRINCIPAL].tenant


def _model(request: web.Request) -> str:
    return f"{request.match_info['name']}/{request.match_info['version']}"
