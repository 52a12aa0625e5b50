"""The channel layer on Redis, with one reader in each process."""

import asyncio
import logging
from contextlib import suppress
from typing import Any, cast
from weakref import WeakValueDictionary

from channels_redis.core import RedisChannelLayer
from redis.exceptions import RedisError

logger = logging.getLogger("tutor.layer")

RETRY_SECONDS = 0.25
OUTAGE_SECONDS = 5.0  # a failure after so long without one begins another outage


class Channel(str):
    """The name of a channel, which is open for as long as somebody holds this very object."""

    inbox: asyncio.Queue[dict[str, Any]]


class OneReaderLayer(RedisChannelLayer):  # type: ignore[misc]
    """The library's layer; only how a process receives differs.

    There the waiting consumers take turns at reading for all. One that leaves in its turn may take another's
    message along, messages to those who have left stay in memory, and each consumer meets every failure of
    Redis. Here a task reads for all and outlasts whatever happens to Redis.
    """

    def __init__(self, **config: Any) -> None:
        super().__init__(**config)
        self._open: WeakValueDictionary[str, Channel] = WeakValueDictionary()
        self._reader: asyncio.Task[None] | None = None

    async def new_channel(self, prefix: str = "specific") -> str:
        """Return the name of a channel; it closes when the last reference to this object is gone."""
        channel = Channel(await super().new_channel(prefix))
        channel.inbox = asyncio.Queue(self.get_capacity(channel))
        self._open[str(channel)] = channel
        return channel

    async def receive(self, channel: str) -> dict[str, Any]:
        loop = asyncio.get_running_loop()
        if self._reader is None or self._reader.done() or self._reader.get_loop() is not loop:
            self._reader = loop.create_task(self._read(self.non_local_name(channel)))
        return await cast(Channel, channel).inbox.get()

    async def close_pools(self) -> None:
        if self._reader:
            self._reader.cancel()
            await asyncio.wait([self._reader])
        await super().close_pools()

    async def _clean_receive_backup(self, index: int, channel: str) -> None:
        # In a task that the library waits for nowhere. The reader meets the same failure, and says so.
        with suppress(RedisError):
            await super()._clean_receive_backup(index, channel)

    async def _read(self, process: str) -> None:
        """Hand out what is sent to this process, for good."""
        clock = asyncio.get_running_loop().time
        failed = -OUTAGE_SECONDS
        while True:
            try:
                names, message = await self.receive_single(process)
            except Exception as error:  # noqa: BLE001 whatever it was, the others want to be read for
                if clock() - failed > OUTAGE_SECONDS:
                    logger.warning("channel_layer_away error=%s", type(error).__name__)
                failed = clock()
                await asyncio.sleep(RETRY_SECONDS)
                continue
            for name in [names] if isinstance(names, str) else names:
                channel = self._open.get(name)
                if channel is None:
                    continue  # its owner has left
                if channel.inbox.full():
                    channel.inbox.get_nowait()
                channel.inbox.put_nowait(message)
