"""The demo's sound: a recording made by code of what a room says, with a hummed syllable for each character.

Nobody's voice is in it; who listens hears where in the words the player is.
"""

import struct
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.domain.decoding import Limits, decode
from monitor.domain.events import RELATIVE, Event, Kind, Role, at_ms, role_and_id

RATE: Final = 8_000
"""Samples a second, of 8 bits."""
HEAD_BYTES: Final = 44
_SILENCE: Final = 128
_LOUD: Final = 80
_SPOKEN: Final = 0.8
"""Of a syllable's time; the rest is still."""
_HZ: Final = {Role.HOST: 220.0}
_OTHERS_HZ: Final = 165.0
_CONTOURS: Final = ((1.2, 1.2), (0.9, 1.2), (0.9, 0.8), (1.25, 0.8))
"""How pitch goes from the begin of a syllable to its end: level, rising, low, falling."""


def recording(stream: bytes) -> bytes:
    """Of a room's stream, whose times count from its begin (ms), as a WAV file."""
    lines = [event for event in decode(stream, Limits(relative_ms=RELATIVE), now_ms=RELATIVE).events
             if event.kind is Kind.TRANSCRIPT and event.duration_ms]
    ends = max(((at_ms(line) or 0) + (line.duration_ms or 0) for line in lines), default=0)
    sound = np.full(_samples(ends), _SILENCE, np.uint8)
    for line in lines:
        for start, end, tone in _syllables(line):
            sound[start:end] = _hummed(end - start, tone, _HZ.get(role_and_id(line)[0], _OTHERS_HZ))
    return _head(len(sound)) + sound.tobytes()


def _samples(ms: float) -> int:
    return round(ms * RATE / 1_000)


def _syllables(line: Event) -> Iterator[tuple[int, int, int]]:
    """(first sample, behind the last, which contour)"""
    each = (line.duration_ms or 0) / max(len(line.text), 1)
    for n, character in enumerate(line.text):
        start = (at_ms(line) or 0) + n * each
        if character.isalnum():
            yield _samples(start), _samples(start + each * _SPOKEN), ord(character) % len(_CONTOURS)


def _hummed(length: int, tone: int, hz: float) -> NDArray[np.uint8]:
    """Two overtones on a pitch that moves, swelling and fading."""
    begins, ends = _CONTOURS[tone]
    phase = 2 * np.pi * np.cumsum(np.linspace(begins, ends, length)) * hz / RATE
    wave = np.sin(phase) + 0.5 * np.sin(2 * phase) + 0.25 * np.sin(3 * phase)
    swell = np.sin(np.linspace(0, np.pi, length)) ** 0.5
    return np.round(_SILENCE + _LOUD * swell * wave / 1.75).astype(np.uint8)


def _head(length: int) -> bytes:
    """Of a WAV file: one channel of 8 bits."""
    return struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", HEAD_BYTES - 8 + length, b"WAVE", b"fmt ", 16, 1, 1, RATE, RATE,
                       1, 8, b"data", length)
