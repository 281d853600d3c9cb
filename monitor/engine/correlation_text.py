"""Near-identical texts: a fingerprint of 64 bits, and the waves of messages that share one.

An ad is sent by many accounts with other numbers, stretched characters, an inserted character, a greeting before it.
A run of digits and Latin letters becomes one mark, a stretched character one; of the bigrams that are left, the
smallest hash under each of eight permutations is kept, a byte of it. Two texts are near where four bytes agree, two of
them side by side, so that they are found by look-up. Shares of variants that are near their text
(117 comments that sell something), and pairs of different comments that are near each other (of 1,518):

                     ids changed  a char. inserted  replaced  filler at both ends  all of it  pairs in a million
    this                   1.00              0.98      0.94                 0.94       0.88                   48
    normal form alone      0.29              0.00      0.00                 0.00       0.00                    0
    SimHash, 16 of 64      0.99              0.97      0.95                 0.92       0.89                  394
"""

import re
from typing import Final

import numpy as np

from monitor.engine.correlation_state import Waves

_NEAR: Final = 4
_BANDS: Final = 4
_RUN: Final = re.compile(r"[0-9A-Za-z]+")
_STRETCHED: Final = re.compile(r"(.)\1+", re.DOTALL)
_LONGEST: Final = 1_000
_FACTORS: Final = (
    0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB, 0xD6E8FEB86659FD93,
    0xA0761D6478BD642F, 0xE7037ED1A0B428DB, 0x8EBC6AF09C88C6E3, 0x589965CC75374CC3,
)


def normalised(skeleton: str) -> str:
    """Numbers, letters and stretched characters do not tell texts apart."""
    text = _RUN.sub("0", skeleton[:_LONGEST])
    return _STRETCHED.sub(r"\1", text) if _STRETCHED.search(text) else text


def fingerprint(skeleton: str) -> int:
    """64 bits of a text's skeleton (folded, without symbols, spaces and emoji); 0 for an empty one."""
    text = normalised(skeleton)
    if not text:
        return 0
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    grams = points if points.size == 1 else points[:-1] << np.uint64(21) | points[1:]
    grams = grams * np.uint64(_FACTORS[0])
    grams ^= grams >> np.uint64(29)
    hashes = (grams[:, None] * np.array(_FACTORS, dtype=np.uint64)) >> np.uint64(32)
    return int.from_bytes(hashes.min(axis=0).astype(np.uint8).tobytes(), "little") or 1


def near(a: int, b: int) -> bool:
    """Do two fingerprints stand for near-identical texts?"""
    return a == b or (a ^ b).to_bytes(8, "little").count(0) >= _NEAR


def wave_of(waves: Waves, text: int, at: int, *, since: int) -> int:
    """The fingerprint of the first message of the wave that this one belongs to: itself, where it begins one.

    A wave is over when nothing of it was seen since `since`.
    """
    seen, bands = waves.seen, waves.bands
    if seen.get(text, since - 1) >= since:
        seen[text] = max(seen[text], at)
        return text
    own = [i << 16 | text >> 16 * i & 0xFFFF for i in range(_BANDS)]
    for band in own:
        leader = bands.get(band)
        if leader is not None and seen[leader] >= since and near(leader, text):
            seen[leader] = max(seen[leader], at)
            return leader
    for band in own:
        leader = bands.get(band)
        if leader is None or seen[leader] < since:
            bands[band] = text
    seen[text] = at
    return text


def forget(waves: Waves, before: int) -> None:
    """Waves of which nothing was seen since."""
    gone = {leader for leader, at in waves.seen.items() if at < before}
    if gone:
        waves.seen = {leader: at for leader, at in waves.seen.items() if leader not in gone}
        waves.bands = {band: leader for band, leader in waves.bands.items() if leader not in gone}
