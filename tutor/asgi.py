"""The one place where the parts are joined: HTTP, Socket.IO, and what all connections share."""

import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tutor.settings")

from django.core.asgi import get_asgi_application

django: Any = get_asgi_application()  # sets Django up, so it goes before whatever needs models

from channels.routing import ProtocolTypeRouter
from django.conf import settings

from accounts.limits import AskMemory, Connections, Limits
from answers import curation, lookup
from answers.database import in_database
from answers.drafts import Draft, Drafts
from answers.generation.base import Provider
from answers.generation.providers import providers
from answers.lookup import LookupResult, StoredAnswer
from answers.questions import Question
from answers.store import MemoryStore
from streaming.bridge import Bridge, Send, refuse_websocket
from streaming.consumers import TutorConsumer
from streaming.playback import Pace
from streaming.sessions import SessionRecord, Sessions
from streaming.stage import Stage
from streaming.wire import Message, Receive
from tutor.lifespan import Lifespan, close_with_reactor


async def look_up(question: Question, user_id: str) -> LookupResult:
    return await in_database(lookup.look_up, question, user_id)


async def answer_of(record: SessionRecord) -> StoredAnswer | None:
    if record.answer_id:
        return await in_database(lookup.answer_of, record.answer_id)
    return await in_database(lookup.answer_of_draft, record.draft_id) if record.draft_id else None


async def save(draft: Draft, provider: Provider) -> str:
    answer = await in_database(
        curation.save_generated,
        draft.question,
        steps=draft.recording.as_steps(),
        duration=draft.recording.duration,
        source=provider.source,
        model=provider.model,
        prompt_version=provider.prompt_version,
        draft_id=draft.id,
        asked_by=draft.asked_by,
    )
    return str(answer.id)


stage = Stage(
    sessions=Sessions(MemoryStore(), settings.SESSION_TTL),
    drafts=Drafts(providers(), look_up, save, settings.AI_DEADLINE),
    limits=Limits(AskMemory(), settings.RATE_LIMIT_ASK),
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


close_with_reactor(stage.drafts.aclose)
application = ProtocolTypeRouter(
    {"http": route, "websocket": route, "lifespan": Lifespan(stage.drafts.aclose)}
)
