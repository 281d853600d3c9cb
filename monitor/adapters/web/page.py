"""Self-contained pages of the service. Nothing in them comes from another address."""

import re
from base64 import b64encode
from hashlib import sha256
from importlib.resources import files
from typing import Final

from aiohttp import web

CUE_PAGE: Final = web.AppKey("cue_page", tuple)
API_PAGE: Final = web.AppKey("api_page", tuple)
"""(the page's bytes, its Content-Security-Policy)."""


def load_page(name: str) -> tuple[bytes, str]:
    """The page and a policy that allows its own script and style, by their hashes, and nothing else."""
    page = files("monitor.adapters.web").joinpath(name).read_text(encoding="utf-8")
    policy = (
        f"default-src 'none'; script-src {_hashes(page, 'script')}; style-src {_hashes(page, 'style')}; "
        "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return page.encode(), policy


def _hashes(page: str, tag: str) -> str:
    found = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
    return " ".join(f"'sha256-{b64encode(sha256(body.encode()).digest()).decode()}'" for body in found)


async def get_api_page(request: web.Request) -> web.Response:
    """The OpenAPI document for people; all of it comes from here, so it works without the internet."""
    return shown(request.app[API_PAGE])


async def get_cue_page(request: web.Request) -> web.Response:
    """The same for every link, also for one that is over: the page says so."""
    return shown(request.app[CUE_PAGE])


def shown(page: tuple[bytes, str]) -> web.Response:
    body, policy = page
    return web.Response(
        body=body, content_type="text/html", charset="utf-8", headers={"Content-Security-Policy": policy}
    )
