"""What a FunASR websocket server sends: one JSON message a line, or an array of them.

An utterance is numbered per `wav_name`; its partial results and its final one have the same id. `2pass-online`
messages are the newest piece of it, `2pass-offline` replaces them all. In mode `online` no final ever comes, so the
pieces make an utterance of about 60 characters. An `offline` result (a whole recording) is cut into its sentences.
`is_final` is not read: servers set it to whether the client still speaks.
"""

import re
from collections.abc import Iterator
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct, structs

from monitor.adapters.sources.assembling import Assembler, Item
from monitor.adapters.sources.json_items import MODES, Block, blocks, shape_of
from monitor.adapters.sources.model import (
    Batch,
    ByteStream,
    SourceOptions,
    cut_off,
    not_text,
)
from monitor.domain.events import Attributes, Kind
from monitor.domain.rejections import Rejected, too_long
from monitor.domain.splitting import TooLong

NAME: Final = "funasr"
LEGACY: Final = False

ONLINE_UTTERANCE: Final = 60
"""Characters after which an utterance of the mode `online` is closed."""

_SHOWN: Final = 1_000  # characters of an utterance that never ends
_RECORDINGS: Final = 65_536  # wav_names whose utterances are counted
_TAG: Final = re.compile(r"<\|[^|<>]{0,32}\|>")
_INNER_SPACE: Final = re.compile(r"(?<![\x21-\x7e]) +| +(?![\x21-\x7e])")
_HINT: Final = "docs/sources.md shows the messages that are read"
_SENTENCE_END: Final = tuple("。？！?!")


class _Message(Struct):
    """The fields that are read. Anything else, such as what a client logs beside them, is passed over."""

    mode: str = ""
    text: str = ""
    wav_name: str | int | None = None
    timestamp: Any = None
    server_timestamp: Any = None  # the name in the log of the reference client
    stamp_sents: Any = None
    sentence_info: Any = None


class _Sentence(Struct):
    start: float
    end: float
    text_seg: str = ""
    punc: str = ""
    text: str = ""
    spk: Annotated[int, Meta(ge=0, le=2**31)] | Annotated[str, Meta(max_length=256)] | None = None


class _Utterance(Struct):
    """The utterance of one recording that is being spoken: its number, its pieces, and where it was last seen."""

    number: int = 0
    pieces: str = ""
    line: int = 0
    streamed: bool = False


_decoder: Final = msgspec.json.Decoder(_Message)


def sniff(head: bytes) -> bool:
    return shape_of(head) == "funasr"


def read(stream: ByteStream, options: SourceOptions) -> Iterator[Batch]:
    out = Assembler(options)
    spoken: dict[str, _Utterance] = {}
    for block in blocks(stream, options.limits.line_bytes):
        for line, message in _messages(block, out, options):
            for item in _items(line, message, spoken, out):
                out.add(line, item)
                if out.full:
                    yield from out.drain()
        yield from out.drain(everything=True)  # of a live server, what has come
    for name, utterance in spoken.items():
        if utterance.streamed and utterance.pieces.strip():
            out.add(utterance.line, _item(name, utterance, utterance.pieces, out))
        if out.full:
            yield from out.drain()
    yield from out.drain(everything=True)


def _messages(block: Block, out: Assembler, options: SourceOptions) -> Iterator[tuple[int, _Message]]:
    last = block.number + len(block.items) - 1
    for line, item in enumerate(block.items, block.number):
        if isinstance(item, TooLong):
            out.reject(too_long(line, item.size, options.limits.line_bytes))
        elif item.strip():
            message = _decoded(line, item, open_end=not block.closed and line == last)
            if isinstance(message, Rejected):
                out.reject(message)
            else:
                yield line, message
    if not block.closed and not block.items:
        out.reject(cut_off(block.number))


def _decoded(line: int, item: bytes, *, open_end: bool) -> _Message | Rejected:
    try:
        message = _decoder.decode(item)
    except msgspec.ValidationError as error:
        what, _, path = str(error).partition(" - at `$.")
        return Rejected(line, re.split(r"[.\[`]", path)[0], what[:1].lower() + what[1:], _HINT)
    except msgspec.DecodeError as error:
        if open_end and "truncated" in str(error):
            return cut_off(line)
        return Rejected(line, "", f"malformed JSON: {error}", "one message a line, or one array of messages")
    except UnicodeDecodeError:
        return cut_off(line) if open_end else not_text(line)
    except RecursionError:
        return Rejected(line, "", "the JSON is nested too deeply", _HINT)
    if message.text and message.mode not in MODES:
        return Rejected(line, "mode", f"unknown mode {message.mode[:40]!r}", "one of " + ", ".join(MODES))
    return message


def _items(line: int, message: _Message, spoken: dict[str, _Utterance], out: Assembler) -> Iterator[Item]:
    if message.mode not in MODES:
        return  # an acknowledgement, or what the client sent
    name = str(message.wav_name or "")[:200]
    if name not in spoken and len(spoken) >= _RECORDINGS:
        del spoken[next(iter(spoken))]
    utterance = spoken.setdefault(name, _Utterance())
    utterance.line = line
    text = _TAG.sub("", message.text)
    if message.mode.endswith("online"):
        yield from _piece(name, utterance, text, message.mode == "online", out)
        return
    sentences = _sentences(message, text) if message.mode == "offline" else []
    if sentences:
        yield from _cut(name, utterance, sentences, out)
    elif text.strip():
        item = _item(name, utterance, text, out)
        yield structs.replace(item, **_times(message))
    if text.strip() or utterance.pieces:
        utterance.number += 1
        utterance.pieces = ""


def _piece(name: str, utterance: _Utterance, text: str, streamed: bool, out: Assembler) -> Iterator[Item]:
    utterance.streamed = streamed
    utterance.pieces = (utterance.pieces + text)[-_SHOWN:]
    shown = utterance.pieces.strip()
    if not text.strip():
        return
    ends = streamed and (len(shown) >= ONLINE_UTTERANCE or shown.endswith(_SENTENCE_END))
    yield structs.replace(_item(name, utterance, utterance.pieces, out), final=ends)
    if ends:
        utterance.number += 1
        utterance.pieces = ""


def _item(name: str, utterance: _Utterance, text: str, out: Assembler, part: str = "") -> Item:
    """`part` tells the sentences of one result apart."""
    kind = out.kind(Kind.TRANSCRIPT)
    attributes: Attributes = {"wav_name": name} if name else {}
    known = out.derived_id(kind, None, name, part, utterance.number)
    return Item(kind=kind, text=text.strip(), id=known, attributes=attributes)


def _cut(name: str, utterance: _Utterance, sentences: list[_Sentence], out: Assembler) -> Iterator[Item]:
    for number, sentence in enumerate(sentences):
        item = _item(name, utterance, sentence.text, out, f"sentence {number}")
        attributes = item.attributes if sentence.spk is None else {**item.attributes, "spk": sentence.spk}
        yield structs.replace(item, attributes=attributes, **_span(sentence.start, sentence.end))


def _span(start: float, end: float) -> dict[str, int]:
    if not 0 <= start < 2**31:
        return {}
    return {"offset_ms": round(start), "duration_ms": round(min(max(end - start, 0), 2**31 - 1))}


def _times(message: _Message) -> dict[str, int]:
    """Offset and length from the pairs of ms, which are a string of JSON in some versions and a list in others."""
    pairs = message.timestamp or message.server_timestamp
    try:
        if isinstance(pairs, str):
            pairs = msgspec.json.decode(pairs)
        pairs = msgspec.convert(pairs, list[tuple[float, float]])
    except (msgspec.MsgspecError, RecursionError):
        pairs = []
    if not pairs:
        marks = _convert(message.stamp_sents or message.sentence_info)
        pairs = [(s.start, s.end) for s in marks]
    return _span(pairs[0][0], pairs[-1][1]) if pairs else {}


def _convert(sentences: Any) -> list[_Sentence]:
    if not isinstance(sentences, list):
        return []
    try:
        return msgspec.convert(sentences, list[_Sentence])
    except (msgspec.ValidationError, RecursionError):
        return []


def _sentences(message: _Message, text: str) -> list[_Sentence]:
    """The sentences with their texts: as in the whole text where the marks are found in it, else put together anew."""
    marks = _convert(message.stamp_sents) or _convert(message.sentence_info)
    texts: list[str] = []
    at = 0
    for mark in marks:
        if not mark.punc:
            break
        end = text.find(mark.punc, at)
        if end < 0:
            break
        texts.append(text[at : end + len(mark.punc)])
        at = end + len(mark.punc)
    if len(texts) < len(marks) or text[at:].strip():
        texts = [_TAG.sub("", m.text) or _INNER_SPACE.sub("", m.text_seg.strip()) + m.punc for m in marks]
    if not any(said.strip() for said in texts):
        return []
    return [structs.replace(mark, text=said) for mark, said in zip(marks, texts, strict=True)]
