"""Passwords as argon2id hashes."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from monitor.adapters.passwords import _WAITING, Argon2
from monitor.domain.errors import BusyError

pytest.importorskip("argon2", reason="argon2-cffi is not installed: make brings the environment in line with the locks")


@pytest.fixture
def passwords() -> Iterator[Argon2]:
    made = Argon2(cheap=True)
    yield made
    made.close()


async def test_a_password_is_known_by_its_hash_alone(passwords: Argon2) -> None:
    first, second = await passwords.hash("九个字的句子也是密码"), await passwords.hash("九个字的句子也是密码")
    assert first.startswith("$argon2id$") and first != second and "密码" not in first
    assert await passwords.verify(first, "九个字的句子也是密码")
    for stored, password in ((first, "九个字的句子也是密"), (first, ""), ("", ""), ("", "nobody has this password"),
                             ("plain", "plain"), ("$argon2id$v=19$m=8,t=1,p=1$x$x", "x")):
        assert not await passwords.verify(stored, password)


async def test_what_is_served_is_made_as_rfc_9106_says() -> None:
    passwords = Argon2()
    assert "m=65536,t=3,p=4" in await passwords.hash("x")
    passwords.close()


async def test_more_than_a_few_at_once_are_told_to_wait(passwords: Argon2) -> None:
    gate = threading.Event()
    waiting = [asyncio.create_task(passwords._run(gate.wait)) for _ in range(_WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(BusyError, match="too many people"):
        await passwords.verify("", "x")
    gate.set()
    await asyncio.gather(*waiting)
    assert not await passwords.verify("", "x")
