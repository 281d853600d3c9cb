"""The console as it is served: its page, its policy, its assets; without a build it says what to do."""

import re
from pathlib import Path

import pytest

from monitor.adapters.web.app import build_app
from monitor.adapters.web.console import Console
from tests.functional.fakes import serving

PAGE = """<!doctype html><meta property="csp-nonce" nonce="__CSP_NONCE__"><script type="module" nonce="__CSP_NONCE__"
src="/assets/index-1.js"></script>"""


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text(PAGE, encoding="utf-8")
    (tmp_path / "icon.svg").write_text("<svg/>", encoding="utf-8")
    (tmp_path / "assets/index-1.js").write_text("let a = 1", encoding="utf-8")
    (tmp_path / "assets/index-1.js.gz").write_bytes(b"\x1f\x8bcompressed")
    monkeypatch.setattr(build_app.__module__ + ".Console", lambda: Console(tmp_path))
    return tmp_path


@pytest.mark.parametrize("path", ["/", "/queue", "/rooms/9001", "/invitations/abc", "/rules/ad.x", "/figures"])
async def test_every_page_is_the_console_with_a_nonce_of_its_own(built: Path, path: str) -> None:
    async with serving(loopback=False) as api:
        seen = set()
        for _ in range(2):
            async with api.client.get(path) as response:
                assert response.status == 200 and response.content_type == "text/html"
                assert response.headers["Cache-Control"] == "no-store"
                policy, page = response.headers["Content-Security-Policy"], await response.text()
            (nonce,) = re.findall(r"'nonce-([\w-]+)'", policy)
            assert page == PAGE.replace("__CSP_NONCE__", nonce)
            assert "unsafe" not in policy and "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
            assert re.findall(r"https?:", policy) == []
            seen.add(nonce)
        assert len(seen) == 2


async def test_assets_last_and_come_compressed(built: Path) -> None:
    async with serving(loopback=False) as api:
        async with api.client.get("/assets/index-1.js", headers={"Accept-Encoding": "identity"}) as response:
            assert (response.status, await response.text()) == (200, "let a = 1")
            assert "immutable" in response.headers["Cache-Control"] and response.headers["Vary"] == "Accept-Encoding"
            assert response.headers["X-Content-Type-Options"] == "nosniff"
        async with api.client.head("/assets/index-1.js", headers={"Accept-Encoding": "gzip"}) as response:
            assert response.headers["Content-Encoding"] == "gzip"
        async with api.client.get("/icon.svg") as response:
            assert response.content_type == "image/svg+xml"


@pytest.mark.parametrize(
    "path", ["/assets/index-2.js", "/assets/..%2findex.html", "/assets/a/b.js", "/queue2", "/nowhere"])
async def test_what_is_not_there_is_no_page(built: Path, path: str) -> None:
    async with serving(loopback=False) as api, api.client.get(path) as response:
        assert response.status == 404 and response.content_type == "application/json"


async def test_without_a_build_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(build_app.__module__ + ".Console", lambda: Console(tmp_path))
    async with serving() as api, api.client.get("/queue") as response:
        error = (await response.json())["error"]
        assert (response.status, error["code"]) == (404, "not_built") and "make console" in error["hint"]
