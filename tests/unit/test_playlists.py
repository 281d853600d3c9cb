"""Playlists: what of them is an address, and that nothing else is touched."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.domain.errors import InputError
from monitor.domain.playlists import rewritten

BASE = "https://cdn.example/live/r1.m3u8?t=1"
WORDS = st.text("abcXYZ019-_.,=/ 中", max_size=20)


def test_addresses_count_from_the_playlist_and_commas_in_titles_are_none() -> None:
    text = """#EXTM3U
#EXT-X-MEDIA:TYPE=AUDIO,NAME="URI=x",URI="a.m3u8",DEFAULT=YES
#EXT-X-KEY:METHOD=NONE
#EXTINF:4,第一,URI
../1.ts
"""
    seen: list[str] = []

    def instead(address: str) -> str:
        seen.append(address)
        return f"<{len(seen)}>"

    assert rewritten(text.encode(), BASE, instead) == text.replace("a.m3u8", "<1>").replace("../1.ts", "<2>")
    assert seen == ["https://cdn.example/live/a.m3u8", "https://cdn.example/1.ts"]


@given(st.lists(st.tuples(st.booleans(), WORDS.filter(str.strip))))
def test_each_line_stays_in_its_place(lines: list[tuple[bool, str]]) -> None:
    text = "".join(f"#EXT-X-{word}\n" if tag else f"{word.strip()}\n" for tag, word in lines)
    found = rewritten(f"#EXTM3U\n{text}".encode(), BASE, lambda _: "there").splitlines()[1:]
    assert found == [f"#EXT-X-{word}" if tag else "there" for tag, word in lines]


@pytest.mark.parametrize("body", [b"", b"<html>", b"1.ts\n#EXTM3U", b"#EXTM3U\n\xff"])
def test_what_is_none(body: bytes) -> None:
    with pytest.raises(InputError):
        rewritten(body, BASE, str)
