"""The network between browser and server: it can be cut, fall silent or become slow."""

import asyncio
from asyncio import StreamReader, StreamWriter
from contextlib import suppress

from tests.services import free_port

PACKET = 1460  # bytes


class _Link:
    """One direction of the network; all connections share its rate."""

    def __init__(self) -> None:
        self.bytes_per_second = 0.0  # 0: as fast as it goes
        self.latency = 0.0  # seconds
        self._free_at = 0.0

    def arrival(self, size: int) -> float:
        """Return when bytes that are sent now arrive, by the loop's clock."""
        now = asyncio.get_running_loop().time()
        if self.bytes_per_second:
            self._free_at = max(now, self._free_at) + size / self.bytes_per_second
            now = self._free_at
        return now + self.latency


class Network:
    """A proxy for TCP, as an asynchronous context manager."""

    def __init__(self, server_port: int) -> None:
        self.port = free_port()
        self._server_port = server_port
        self._up, self._down = _Link(), _Link()
        self._cut = False
        self._flows = asyncio.Event()
        self._flows.set()
        self._connections: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> "Network":
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server
        self._server.close()
        self.cut()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def cut(self) -> None:
        """Break all connections, and every new one."""
        self._cut = True
        for connection in self._connections:
            connection.cancel()

    def fall_silent(self) -> None:
        """Let nothing through any more, and tell nobody."""
        self._flows.clear()

    def mend(self) -> None:
        self._cut = False
        self._flows.set()

    def slow(self, bits_per_second: float, round_trip: float) -> None:
        for link in (self._up, self._down):
            link.bytes_per_second, link.latency = bits_per_second / 8, round_trip / 2

    async def _connect(self, reader: StreamReader, writer: StreamWriter) -> None:
        connection = asyncio.current_task()
        assert connection
        self._connections.add(connection)
        server_writer: StreamWriter | None = None
        try:
            if self._cut:
                return
            await asyncio.sleep(self._up.latency + self._down.latency)  # what the handshake takes
            with suppress(OSError):  # the server is away
                server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._server_port)
                async with asyncio.TaskGroup() as both:
                    both.create_task(self._carry(reader, server_writer, self._up))
                    both.create_task(self._carry(server_reader, writer, self._down))
        except* OSError:
            pass  # one end broke the connection: so does the other
        except* asyncio.CancelledError:
            pass
        finally:
            self._connections.discard(connection)
            for end in (writer, server_writer):
                if end:
                    end.transport.abort()

    async def _carry(self, reader: StreamReader, writer: StreamWriter, link: _Link) -> None:
        packets: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(64)

        async def deliver() -> None:
            data = b" "
            while data:
                arrival, data = await packets.get()
                await asyncio.sleep(arrival - asyncio.get_running_loop().time())
                await self._flows.wait()
                writer.write(data)
                await writer.drain()

        async with asyncio.TaskGroup() as delivering:
            delivering.create_task(deliver())
            data = b" "
            while data:
                data = await reader.read(PACKET if link.bytes_per_second else 65_536)
                await packets.put((link.arrival(len(data)), data))
        if writer.can_write_eof():
            writer.write_eof()
