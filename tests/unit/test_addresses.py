"""Which addresses outside may be called."""

import pytest

from monitor.adapters.outside import Outside
from monitor.domain.addresses import allowed, checked, is_public
from monitor.domain.errors import InputError


@pytest.mark.parametrize("address", ["8.8.8.8", "2001:4860:4860::8888", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_addresses_of_the_internet(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1",  # noqa: S104
    "255.255.255.255", "::1", "::", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1",
    "2002:7f00:1::", "::7f00:1", "::808:808", "fec0::1", "64:ff9b:1::7f00:1", "not an address", "",
])
def test_addresses_of_other_networks(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("url, what", [
    ("ftp://example.com/x", "no address"), ("https://", "no address"), ("https://e.com:0/", "no address"),
    ("https://[bad/", "no address"), ("https://e.com/a b", "no address"), ("https://e.com/\r\nX: y", "no address"),
    ("https://me:pw@example.com/", "password"), ("http://localhost/x", "private"), ("http://a.localhost./", "private"),
    ("http://127.0.0.1/", "private"), ("http://[::1]:80/", "private"), ("http://2130706433/", "private"),
    ("http://0x7f000001/", "private"), ("http://127.1/", "private"), ("http://db.internal/", "private"),
    ("http://127。0。0。1/", "private"), ("http://127．0.0｡1/", "private"), ("http://１２７.0.0.1/", "private"),
    ("http://169。254。169。254/latest", "private"), ("http://localhost。/", "private"),
    ("http://ｌocalhost/", "private"),
])
def test_addresses_that_are_refused(url: str, what: str) -> None:
    with pytest.raises(InputError, match=what) as caught:
        checked(url, private=False)
    assert caught.value.hint


def test_private_ones_where_they_are_allowed() -> None:
    assert checked("http://10.0.0.7:8080/a", private=True).port == 8080
    assert checked("https://example.com/a?b=1", private=False).hostname == "example.com"
    assert allowed("nas", ["10.0.0.7"], private=True) == ["10.0.0.7"]


def test_a_name_that_leads_both_ways_is_refused() -> None:
    assert allowed("a.example", ["8.8.8.8"], private=False) == ["8.8.8.8"]
    with pytest.raises(InputError, match="leads into a private network"):
        allowed("a.example", ["8.8.8.8", "10.0.0.1"], private=False)


async def test_a_call_is_checked_by_what_its_name_resolves_to() -> None:
    assert await Outside(private=True).check("http://localhost:1/") != []
    with pytest.raises(InputError, match="private"):
        await Outside().check("http://127.0.0.1:1/")
    async with Outside().session() as session:
        with pytest.raises(InputError, match="leads into a private network"):
            await session.get("http://localhost:1/")


@pytest.mark.parametrize("url", [
    "http://127.0.0.1:1/", "http://127。0。0。1:1/", "http://①②⑦.0.0.1:1/", "http://[::1]:1/", "http://[::ffff:127.0.0.1]:1/",
])
async def test_an_address_that_needs_no_resolving_is_checked_as_it_connects(url: str) -> None:
    async with Outside().session() as session:
        with pytest.raises(InputError, match="leads into a private network"):
            await session.get(url)
