"""How many bytes of requests may be in memory at once: over all clients, and of each of them."""

from types import TracebackType
from typing import Final

from aiohttp import web

from monitor.domain.errors import BusyError


class Budget:
    """`most` bytes over all requests, of which one client may take half, so that it leaves room for others."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._of: dict[str, int] = {}
        self.held = 0

    def take(self, client: str, size: int) -> None:
        """Raises BusyError where the budget does not allow `size` more bytes."""
        own = self._of.get(client, 0) + size
        if self.held + size > self._most:
            raise BusyError("too many bodies are being read at once", retry_after=1, hint="send again in a second")
        if own > self._most // 2:
            raise BusyError("too many bodies of this token are being read at once", retry_after=1,
                            hint="send fewer requests at a time")
        self._of[client] = own
        self.held += size

    def give(self, client: str, size: int) -> None:
        self.held -= size
        left = self._of.get(client, 0) - size
        if left:
            self._of[client] = left
        else:
            self._of.pop(client, None)


class Held:
    """The share of one request or socket in the budget. `client` is the id of its token.

    Given back by `give`, at the latest at the end of the `with` block.
    """

    def __init__(self, budget: Budget, client: str) -> None:
        self._budget = budget
        self._client = client
        self.size = 0

    def grow(self, size: int) -> None:
        """Raises BusyError."""
        self._budget.take(self._client, size)
        self.size += size

    def give(self) -> None:
        self._budget.give(self._client, self.size)
        self.size = 0

    def __enter__(self) -> "Held":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.give()


BUDGET: Final = web.AppKey("budget", Budget)
