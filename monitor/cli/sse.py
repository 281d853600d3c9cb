"""Server-sent events, as a client reads them (html.spec.whatwg.org, section 9.2)."""

from collections.abc import Iterator

from msgspec import Struct


class Message(Struct, frozen=True):
    """`id`: the last one heard so far, "" before any."""

    event: str
    data: str
    id: str


class Reader:
    """Feed it bytes as they come; it gives the messages that they complete."""

    def __init__(self) -> None:
        self.last_id = ""
        self.begin()

    def begin(self) -> None:
        """A new connection: what came of a message before it broke is void."""
        self._rest = b""
        self._event = ""
        self._data: list[str] = []

    def feed(self, data: bytes) -> Iterator[Message]:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            message = self._line(line.removesuffix(b"\r").decode("utf-8", "replace"))
            if message is not None:
                yield message

    def _line(self, line: str) -> Message | None:
        if not line:
            message = Message(self._event or "message", "\n".join(self._data), self.last_id) if self._data else None
            self._event, self._data = "", []
            return message
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            self._event = value
        elif field == "data":
            self._data.append(value)
        elif field == "id" and "\0" not in value:
            self.last_id = value
        return None  # a comment (no field), or one that does not concern us
