"""The provider: one request, its stream, and the pieces told from it."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any
from weakref import WeakKeyDictionary

import openai
from openai.types.chat import ChatCompletionChunk

from answers.errors import AiInvalidAnswer, AiNotConfigured, AiRefused, AiUnavailable
from answers.generation.base import Piece
from answers.generation.openai.failures import told_as_ours
from answers.generation.openai.prompt import PROMPT_VERSION, messages, schema_for
from answers.generation.openai.reader import AnswerReader
from answers.questions import Question
from answers.recording import Recording

logger = logging.getLogger("tutor.generation")

# What a server may refuse, and the words by which its refusal is known.
_JSON_SCHEMA = ("response_format", "response format", "json_schema", "json schema", "structured output")
_STREAM_OPTIONS = ("stream_options", "include_usage")
_MAY_BE_REFUSED = (_JSON_SCHEMA, _STREAM_OPTIONS)


class OpenAIProvider:
    """Asks a model for each answer once; asking again is up to the caller.

    `connect_timeout`, `read_timeout`: seconds until there is a connection, and between two signs of life.
    """

    source = "model"
    prompt_version = PROMPT_VERSION

    def __init__(
        self,
        api_key: str,
        base_url: str,
        model: str,
        *,
        connect_timeout: float = 5.0,
        read_timeout: float = 30.0,
    ) -> None:
        self.model = model
        self._api_key = api_key
        self._base_url = base_url
        self._timeout = openai.Timeout(read_timeout, connect=connect_timeout)
        # A connection belongs to the event loop that opened it.
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, openai.AsyncOpenAI] = WeakKeyDictionary()
        self._refused: frozenset[tuple[str, ...]] = frozenset()

    async def explain(
        self, question: Question, written: Recording | None = None
    ) -> AsyncGenerator[Piece, None]:
        """Tell the answer as `Provider` says, with one call of the model."""
        if not self._api_key:
            raise AiNotConfigured("no key")
        if written and not written.open_step and 0 < written.planned_steps <= len(written.steps):
            return  # it was cut off behind its last word
        reader = AnswerReader(written)
        async with aclosing(self._deltas(question, written)) as deltas:
            async for delta in deltas:
                for piece in reader.feed(delta):
                    yield piece
        reader.close()
        if reader.dropped:
            ops = [reason.partition(":")[0] for reason in reader.dropped]
            logger.info("canvas_commands_dropped model=%s ops=%s", self.model, ",".join(ops))

    async def aclose(self) -> None:
        """Close the connections of the running event loop."""
        if client := self._clients.pop(asyncio.get_running_loop(), None):
            await client.close()

    def _client(self) -> openai.AsyncOpenAI:
        loop = asyncio.get_running_loop()
        if loop not in self._clients:
            self._clients[loop] = openai.AsyncOpenAI(
                api_key=self._api_key, base_url=self._base_url, timeout=self._timeout, max_retries=0
            )
        return self._clients[loop]

    async def _deltas(self, question: Question, written: Recording | None) -> AsyncGenerator[str, None]:
        """Yield what the model says; return only if it said that this was all."""
        finish = None
        with told_as_ours():
            async with await self._begin(question, written) as stream:
                async for chunk in stream:
                    if usage := chunk.usage:
                        counts = (usage.prompt_tokens, usage.completion_tokens)
                        logger.info("model_answered model=%s tokens_in=%s tokens_out=%s", self.model, *counts)
                    for choice in chunk.choices or ():
                        if choice.delta and choice.delta.refusal:
                            raise AiRefused("refusal")
                        if choice.delta and isinstance(choice.delta.content, str):
                            yield choice.delta.content
                        finish = choice.finish_reason or finish
        if finish == "content_filter":
            raise AiRefused(finish)
        if finish == "length":
            raise AiInvalidAnswer("cut off by the model's limit")
        if not finish:
            raise AiUnavailable("the stream ended without an end")

    async def _begin(
        self, question: Question, written: Recording | None
    ) -> openai.AsyncStream[ChatCompletionChunk]:
        """Send the request, again without what the server says it does not know."""
        create = self._client().chat.completions.create
        refused = self._refused
        while True:
            try:
                stream: openai.AsyncStream[ChatCompletionChunk] = await create(
                    **self._request(question, written, refused)
                )
            except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
                said = f"{error.message} {error.param}".lower()
                known = {words for words in _MAY_BE_REFUSED if any(word in said for word in words)}
                if known <= refused:
                    raise
                refused = refused | known
            else:
                self._refused = refused  # only now it is certain that this was the reason
                return stream

    def _request(
        self, question: Question, written: Recording | None, refused: frozenset[tuple[str, ...]]
    ) -> dict[str, Any]:
        without_schema = _JSON_SCHEMA in refused
        schema = {"name": "explanation", "strict": True, "schema": schema_for(written)}
        request: dict[str, Any] = {
            "model": self.model,
            "messages": messages(question, written, spell_out_schema=without_schema),
            "stream": True,
            "response_format": {"type": "json_object"}
            if without_schema
            else {"type": "json_schema", "json_schema": schema},
        }
        if _STREAM_OPTIONS not in refused:
            request["stream_options"] = {"include_usage": True}
        return request
