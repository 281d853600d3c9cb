"""Messages over real connections: signed calls, receivers that fail, hang or redirect, private addresses."""

import asyncio
import hashlib
import hmac
import json
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from msgspec.structs import replace

from monitor.adapters.courier import Couriers
from monitor.adapters.outside import Outside
from monitor.domain.channels import Channel
from monitor.domain.messages import Item, Message, What
from monitor.services.messaging import Undelivered

NOW = 1_795_435_200_000
SECRET = "a secret of the receiver's"  # noqa: S105 - of nobody
MESSAGE = Message(id="m1", tenant="agency", channel="ops", room="r1", at=NOW, due=NOW, items=(
    Item(what=What.ESCALATION, at=NOW, alert="a1", title="绝对化用语", severity="high", text="全网最好"),))


class Receiver:
    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, str], bytes]] = []
        self.status = 200
        self.headers: dict[str, str] = {}
        self.hang = False

    async def take(self, request: web.Request) -> web.Response:
        self.calls.append((request.path, dict(request.headers), await request.read()))
        if self.hang:
            await asyncio.sleep(60)
        return web.Response(status=self.status, headers=self.headers)


@asynccontextmanager
async def receiving() -> AsyncIterator[tuple[Receiver, str]]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", receiver.take)
    async with TestServer(app) as server:
        yield receiver, f"http://127.0.0.1:{server.port}/hook/token"


@asynccontextmanager
async def couriers(*, private: bool = True, **more: Any) -> AsyncIterator[Couriers]:
    made = Couriers(Outside(private=private), lambda: NOW, UTC, **more)
    yield made
    await made.close()


async def test_a_call_is_signed_and_says_what_happened() -> None:
    async with receiving() as (receiver, url), couriers() as courier:
        await courier.send(Channel(url=url, secret=SECRET), MESSAGE)
    ((path, headers, body),) = receiver.calls
    assert path == "/hook/token" and headers["X-Redpost-Id"] == "m1"
    stamp = headers["X-Redpost-Timestamp"]
    wanted = hmac.new(SECRET.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    assert headers["X-Redpost-Signature"] == f"sha256={wanted}" and int(stamp) == NOW // 1_000
    told = json.loads(body)
    assert told["id"] == "m1" and "预警已升级" in told["title"] and told["items"][0]["alert"] == "a1"


@pytest.mark.parametrize("status", [400, 404, 429, 500, 503])
async def test_what_is_not_taken_is_undelivered(status: int) -> None:
    async with receiving() as (receiver, url), couriers() as courier:
        receiver.status = status
        with pytest.raises(Undelivered, match=f"answered {status}") as caught:
            await courier.send(Channel(url=url, secret=SECRET), MESSAGE)
    assert "token" not in str(caught.value)


async def test_a_redirect_is_not_followed() -> None:
    async with receiving() as (receiver, url), couriers() as courier:
        receiver.status, receiver.headers = 307, {"Location": url.replace("token", "elsewhere")}
        with pytest.raises(Undelivered, match="redirects are not followed"):
            await courier.send(Channel(url=url, secret=SECRET), MESSAGE)
        assert [path for path, _, _ in receiver.calls] == ["/hook/token"]


async def test_nobody_there_is_undelivered_without_the_address() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        async with couriers() as courier:
            with pytest.raises(Undelivered, match="no connection") as caught:
                await courier.send(
                    Channel(url=f"http://127.0.0.1:{taken.getsockname()[1]}/token", secret=SECRET), MESSAGE)
    assert "token" not in str(caught.value)


@pytest.mark.parametrize("host", [
    "127.0.0.1", "localhost", "10.0.0.1", "169.254.169.254", "[::1]", "0.0.0.0", "2130706433"])  # noqa: S104
async def test_private_addresses_are_refused_unless_allowed(host: str) -> None:
    async with couriers(private=False) as courier:
        with pytest.raises(Undelivered, match=r"private network|leads nowhere"):
            await courier.send(Channel(url=f"https://{host}:1/x", secret=SECRET), MESSAGE)
        with pytest.raises(Undelivered, match="not https"):
            await courier.send(Channel(url="http://example.com/x", secret=SECRET), MESSAGE)


async def test_a_name_that_changes_its_mind_gains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: public when it is checked, private when it is called."""
    async with receiving() as (receiver, url):
        port = int(url.split(":")[2].split("/")[0])
        answers = [("93.184.216.34", port), ("127.0.0.1", port)]

        async def getaddrinfo(host: str, port: Any, **more: Any) -> list[Any]:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", answers.pop(0) if len(answers) > 1 else answers[0])]

        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
        async with couriers(private=False) as courier:
            with pytest.raises(Undelivered):
                await courier.send(Channel(url=f"https://rebind.example:{port}/x", secret=SECRET), MESSAGE)
        assert receiver.calls == [] and answers == [("127.0.0.1", port)]


async def test_a_receiver_that_hangs_can_be_left() -> None:
    async with receiving() as (receiver, url), couriers() as courier:
        receiver.hang = True
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await courier.send(Channel(url=url, secret=SECRET), MESSAGE)
        receiver.hang = False
        await courier.send(Channel(url=url, secret=SECRET), MESSAGE)


async def test_others_go_by_apprise_in_a_thread_and_one_at_a_time() -> None:
    told: list[tuple[str, str]] = []

    def notify(url: str, title: str, body: str) -> bool:
        told.append((url, title))
        return len(told) == 1

    async with couriers(notify=notify) as courier:
        await courier.send(Channel(url="wecombot://key"), MESSAGE)
        with pytest.raises(Undelivered, match="wecombot did not take it"):
            await courier.send(Channel(url="wecombot://key"), MESSAGE)
    assert [url for url, _ in told] == ["wecombot://key"] * 2 and "预警已升级" in told[0][1]


async def test_a_notifier_that_breaks_does_not_tell_the_address() -> None:
    def notify(url: str, title: str, body: str) -> bool:
        raise ValueError(url)

    async with couriers(notify=notify) as courier:
        with pytest.raises(Undelivered) as caught:
            await courier.send(Channel(url="feishu://secret-token"), MESSAGE)
    assert str(caught.value) == "the notifier broke: ValueError"


async def test_while_a_notifier_hangs_its_channel_gets_no_other_and_others_do() -> None:
    gate, told = threading.Event(), list[str]()

    def notify(url: str, title: str, body: str) -> bool:
        told.append(url)
        return url != "feishu://hangs" or gate.wait(10)

    async with couriers(notify=notify) as courier:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await courier.send(Channel(url="feishu://hangs"), MESSAGE)
        with pytest.raises(Undelivered, match="has not ended"):
            await courier.send(Channel(url="feishu://hangs"), MESSAGE)
        await courier.send(Channel(url="feishu://works"), replace(MESSAGE, channel="other"))
        gate.set()
        while any(thread.name == "notify" for thread in threading.enumerate()):
            await asyncio.sleep(0.01)
        await courier.send(Channel(url="feishu://hangs"), MESSAGE)
    assert told == ["feishu://hangs", "feishu://works", "feishu://hangs"]


@pytest.mark.parametrize("url", ["mailto://u:p@localhost", "mailto://u:p@example.com?smtp=127.0.0.1"])
async def test_mail_by_a_private_host_is_refused(url: str) -> None:
    async with couriers(private=False, notify=lambda *told: True) as courier:
        with pytest.raises(Undelivered, match=r"private network|leads nowhere"):
            await courier.send(Channel(url=url), MESSAGE)


@pytest.mark.parametrize("options", [
    "to=a@b.c;smtp=127.0.0.1", "%20smtp=127.0.0.1", "&amp;smtp=127.0.0.1", "sm%74p=127.0.0.1", "smtp=%2531", "smtp=a#b",
    "pgp=yes&pgppub=http://127.0.0.1/", "pgpprv=/etc/hosts", "wkd=yes", "SMTP=127.0.0.1",
])
async def test_an_address_of_mail_in_which_apprise_could_find_another_host_is_refused(options: str) -> None:
    told: list[str] = []
    channel = Channel(url=f"mailto://u:p@example.com?{options}")
    assert any("mail takes" in fault for fault in channel.faults())
    async with couriers(private=False, notify=lambda *what: not told.append(str(what))) as courier:
        with pytest.raises(Undelivered, match="does not take"):
            await courier.send(channel, MESSAGE)
    assert told == []


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("url", ["wecombot://botkey", "dingtalk://abcdefgh", "feishu://abcdefgh",
                                 "mailto://user:pass@example.com",
                                 "mailtos://user:pass@example.com:465?to=a@b.example&smtp=mail.example.com&name=x"])
def test_apprise_reads_the_addresses_that_are_taken(url: str) -> None:
    apprise = pytest.importorskip("apprise")
    assert apprise.Apprise().add(url)
    assert not list(Channel(url=url).faults())
