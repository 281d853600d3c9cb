"""The console: one page under every address of its own, and the assets it is made of. Nothing comes from elsewhere."""

import secrets
from importlib.resources import files
from pathlib import Path
from typing import Final

from aiohttp import web

from monitor.adapters.web.errors import Problem
from monitor.adapters.web.page import shown

FOLDER: Final = Path(str(files("monitor"))) / "console/dist"
"""What `make console` builds, and the wheel holds."""
ADDRESSES: Final = "/{page:(?:queue|rooms|rules|checks|figures|admin|invitations)(?:/.*)?}"
"""The pages below `/`, which the browser tells apart."""
_NONCE: Final = "__CSP_NONCE__"
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self' 'nonce-{nonce}'; "
    "img-src 'self' data:; font-src 'self'; media-src 'self' blob:; worker-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)


class Console:
    """Read at each request, since a build replaces page and assets together."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._index = folder / "index.html"
        self._assets = folder / "assets"
        self._icon = folder / "icon.svg"

    def add_to(self, router: web.UrlDispatcher) -> None:
        """All but `/`. Whoever may load the page may see nothing yet: what it asks for is guarded."""
        router.add_get(ADDRESSES, self.get)
        router.add_get(r"/assets/{name:[\w.-]+}", self.get_asset)
        router.add_get("/icon.svg", self.get_icon)

    async def get(self, request: web.Request) -> web.Response:
        try:
            page = self._index.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise Problem(404, "not_built", "the console is not built",
                          hint="run `make console` in the checkout, or install redpost from its wheel") from None
        nonce = secrets.token_urlsafe(16)
        return shown((page.replace(_NONCE, nonce).encode(), _POLICY.format(nonce=nonce)))

    async def get_asset(self, request: web.Request) -> web.StreamResponse:
        """Named by their content, so they last; compressed ones lie beside them."""
        path = self._assets / request.match_info["name"]
        if not path.is_file():
            raise web.HTTPNotFound
        return web.FileResponse(path, headers={"Cache-Control": "public, max-age=31536000, immutable",
                                               "Vary": "Accept-Encoding"})

    async def get_icon(self, request: web.Request) -> web.StreamResponse:
        if not self._icon.is_file():
            raise web.HTTPNotFound
        return web.FileResponse(self._icon)


CONSOLE: Final = web.AppKey("console", Console)


async def get_console(request: web.Request) -> web.Response:
    return await request.app[CONSOLE].get(request)
