"""GET /: one self-contained page that shows alerts as they come. Nothing in it comes from another address."""

import re
from base64 import b64encode
from hashlib import sha256
from importlib.resources import files
from typing import Final

from aiohttp import web

PAGE: Final = web.AppKey("page", tuple)
"""(the page's bytes, its Content-Security-Policy)."""


def load_page() -> tuple[bytes, str]:
    """The page and a policy that allows its own script and style, by their hashes, and nothing else."""
    page = files("monitor.adapters.web").joinpath("live.html").read_text(encoding="utf-8")
    policy = (
        f"default-src 'none'; script-src {_hashes(page, 'script')}; style-src {_hashes(page, 'style')}; "
        "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return page.encode(), policy


def _hashes(page: str, tag: str) -> str:
    found = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
    return " ".join(f"'sha256-{b64encode(sha256(body.encode()).digest()).decode()}'" for body in found)


async def get_page(request: web.Request) -> web.Response:
    body, policy = request.app[PAGE]
    return web.Response(
        body=body, content_type="text/html", charset="utf-8", headers={"Content-Security-Policy": policy}
    )
