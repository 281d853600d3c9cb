"""The demo's sound is a WAV file that hums where its room speaks, and is still elsewhere."""

import io
import json
import wave
from itertools import pairwise
from pathlib import Path

import numpy as np

from monitor.services.demo_sound import RATE, recording

FOOD = (Path(__file__).parents[2] / "config/demo/food.ndjson").read_bytes()


def test_it_sounds_while_somebody_speaks_and_at_no_other_time() -> None:
    with wave.open(io.BytesIO(recording(FOOD))) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 1, 1)
        sound = np.frombuffer(file.readframes(file.getnframes()), np.uint8).astype(int) - 128
    lines = [line for line in map(json.loads, FOOD.splitlines()) if line["kind"] == "transcript"]
    assert len(sound) == max(line["at"] + line["duration_ms"] for line in lines) * RATE // 1_000
    for line in lines:
        said = sound[line["at"] * 8:(line["at"] + line["duration_ms"]) * 8]
        assert abs(said).max() > 40
    still = [(one["at"] + one["duration_ms"], two["at"]) for one, two in pairwise(lines)
             if two["at"] > one["at"] + one["duration_ms"]]
    assert still and all(not sound[start * 8 + 8:end * 8 - 8].any() for start, end in still)
    assert recording(FOOD) == recording(FOOD)


def test_nothing_said_is_no_sound() -> None:
    assert len(recording(b"")) == 44
