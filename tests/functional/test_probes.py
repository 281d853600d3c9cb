"""What a worker and a bridge answer for themselves, and to whom."""

from aiohttp.test_utils import TestClient, TestServer

from monitor.adapters.telemetry import PrometheusTelemetry
from monitor.adapters.web.auth import Tokens, new_token
from monitor.adapters.web.probes import probes
from tests.fakes.store import MemoryStore
from tests.functional.fakes import FakeLogger


async def answers(path: str, *, loopback: bool = True, sent: str = "", scopes: tuple[str, ...] = ("metrics",),
                  alive: bool = True, unready: tuple[str, ...] = ()) -> tuple[int, str]:
    store = MemoryStore()
    given, token = new_token("local", "test", scopes, 0)
    await store.save_token(token)
    app = probes(PrometheusTelemetry(), Tokens(store, FakeLogger(), fresh_s=0), loopback=loopback,
                 alive=lambda: alive, unready=lambda: unready)
    headers = {"Authorization": f"Bearer {sent.replace('GIVEN', given)}"} if sent else {}
    async with TestClient(TestServer(app)) as client, client.get(path, headers=headers) as answer:
        return answer.status, await answer.text()


async def test_metrics_are_open_to_this_machine_and_else_to_who_has_a_token() -> None:
    status, text = await answers("/metrics")
    assert status == 200 and "redpost_sse_dropped_total" in text
    assert (await answers("/metrics", loopback=False))[0] == 401
    assert (await answers("/metrics", loopback=False, sent="rp_other"))[0] == 401
    assert (await answers("/metrics", loopback=False, sent="GIVEN", scopes=("read",)))[0] == 403
    assert (await answers("/metrics", loopback=False, sent="GIVEN"))[0] == 200


async def test_probes_need_no_token_and_say_why() -> None:
    assert await answers("/healthz", loopback=False) == (200, "ok\n")
    assert await answers("/healthz", alive=False) == (503, "not alive\n")
    assert await answers("/readyz", loopback=False) == (200, "ok\n")
    assert await answers("/readyz", unready=("it waits", "for that")) == (503, "it waits\nfor that\n")
