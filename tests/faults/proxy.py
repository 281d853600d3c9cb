"""A network that can be cut: connections to a port of loopback go on to another one, until they do not."""

import asyncio
from contextlib import suppress


class Proxy:
    """`async with`. `cut` ends all connections and refuses new ones; `freeze` keeps them, and nothing arrives."""

    def __init__(self, port: int, target: int) -> None:
        self.port, self._target = port, target
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self.passed = 0
        """Bytes in both directions."""

    async def __aenter__(self) -> "Proxy":
        await self.heal()
        return self

    async def __aexit__(self, *error: object) -> None:
        self._flowing.set()
        await self.cut()

    async def cut(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in list(self._writers):
            writer.transport.abort()

    async def heal(self) -> None:
        self._flowing.set()
        if self._server is None:
            self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)

    def freeze(self) -> None:
        self._flowing.clear()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            there, onward = await asyncio.open_connection("127.0.0.1", self._target)
            self._writers |= {writer, onward}
            await asyncio.gather(self._pass(reader, onward), self._pass(there, writer))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(2**16):
                await self._flowing.wait()
                self.passed += len(data)
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()
            self._writers.discard(writer)
