"""What happens to sessions in the store while they are played here: a signal that got lost heals by it."""

import asyncio
import logging
from typing import Protocol

from answers.errors import StoreAway
from streaming.sessions import Sessions

logger = logging.getLogger("tutor.watch")

SECONDS = 0.75  # between two looks at the records of all sessions that this process plays


class Watched(Protocol):
    """A session being played."""

    @property
    def session_id(self) -> str: ...

    def compare(self, stored: str | None) -> None:
        """Heed what stands in the store: the record's JSON, or None if the store has lost it."""


class Watch:
    """Reads the records of all who play in one command, as long as there are any."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._players: set[Watched] = set()
        self._task: asyncio.Task[None] | None = None

    def add(self, player: Watched) -> None:
        self._players.add(player)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="watch")

    def discard(self, player: Watched) -> None:
        self._players.discard(player)
        if not self._players and self._task:
            self._task.cancel()
            self._task = None

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(SECONDS)
            players = list(self._players)
            try:
                records = await self._sessions.stored([player.session_id for player in players])
            except StoreAway:
                continue  # what plays goes on, and the store is asked again
            for player, stored in zip(players, records, strict=True):
                if player in self._players:
                    _compare(player, stored)


def _compare(player: Watched, stored: str | None) -> None:
    try:
        player.compare(stored)
    except Exception as error:  # noqa: BLE001 one record that is wrong is no matter of the others
        logger.error("watch_failed session=%s error=%s", player.session_id, type(error).__name__)
