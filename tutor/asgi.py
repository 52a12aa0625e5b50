"""The one place where the parts are joined: HTTP, Socket.IO, and what all connections share."""

import gc
import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tutor.settings")

from django.core.asgi import get_asgi_application

django: Any = get_asgi_application()  # sets Django up, so it goes before whatever needs models

from channels.layers import get_channel_layer
from channels.routing import ProtocolTypeRouter
from django.conf import settings

from accounts.limits import Connections, Limits, ask_storage
from answers import curation, lookup
from answers.database import in_database
from answers.draft import Draft, Told
from answers.drafts import Drafts
from answers.generation.providers import providers
from answers.lookup import LookupResult, StoredAnswer
from answers.questions import Question
from answers.store import MemoryStore, RedisStore, Store
from answers.writing import Writer
from streaming.bridge import Bridge, refuse_websocket
from streaming.consumers import TutorConsumer
from streaming.playback import Pace
from streaming.sessions import SessionRecord, Sessions
from streaming.stage import Stage
from streaming.wire import Message, Receive, Send
from tutor.alone import stand_alone
from tutor.lifespan import Ending, Lifespan, end_with_reactor

# Between two entries of a draft's log, in seconds; in memory they cost nothing.
FLUSH = 0.15 if settings.REDIS_URL else 0.0


async def look_up(question: Question, user_id: str) -> LookupResult:
    return await in_database(lookup.look_up, question, user_id)


async def answer_of(record: SessionRecord) -> StoredAnswer | None:
    if record.answer_id:
        return await in_database(lookup.answer_of, record.answer_id)
    return await in_database(lookup.answer_of_draft, record.draft_id) if record.draft_id else None


async def save(draft: Draft, told: Told) -> str:
    answer = await in_database(
        curation.save_generated,
        draft.question,
        steps=draft.recording.as_steps(),
        duration=draft.recording.duration,
        source=told.source,
        model=told.model,
        prompt_version=told.prompt_version,
        draft_id=draft.id,
        asked_by=draft.asked_by,
    )
    return str(answer.id)


if not settings.REDIS_URL:
    stand_alone(settings.DATABASES["default"])
store: Store = RedisStore(settings.REDIS_URL) if settings.REDIS_URL else MemoryStore()
writer = Writer(providers(), look_up, save, settings.AI_DEADLINE, FLUSH)
stage = Stage(
    sessions=Sessions(store, settings.SESSION_TTL),
    drafts=Drafts(store, writer),
    limits=Limits(ask_storage(settings.REDIS_URL), settings.RATE_LIMIT_ASK),
    connections=Connections(settings.MAX_CONNECTIONS_PER_USER),
    pace=Pace(settings.CHUNK_SIZE, settings.CHUNK_DELAY),
    events_per_second=settings.EVENTS_PER_SECOND,
    max_streams=settings.MAX_STREAMS,
    look_up=look_up,
    answer_of=answer_of,
)
bridge = Bridge(TutorConsumer.as_asgi(stage=stage), settings.CORS_ALLOWED_ORIGINS)


async def route(scope: Message, receive: Receive, send: Send) -> None:
    """Socket.IO to the bridge, the rest of HTTP to Django."""
    if scope["path"].startswith("/socket.io/"):
        await bridge(scope, receive, send)
    elif scope["type"] == "http":
        await django(scope, receive, send)
    else:
        await refuse_websocket(scope, receive, send)


async def close() -> None:
    """Leave the drafts to other processes, then let go of every connection."""
    await stage.drafts.aclose()
    for shared in (stage.limits, store):
        await shared.aclose()
    layer = get_channel_layer()
    if hasattr(layer, "close_pools"):  # that of Redis
        await layer.close_pools()


ending = Ending(bridge.drain, close)
end_with_reactor(ending)
# What has been loaded stays for good: a collection that looks through it holds every stream up for 100 ms.
gc.collect()
gc.freeze()
application = ProtocolTypeRouter({"http": route, "websocket": route, "lifespan": Lifespan(ending)})
