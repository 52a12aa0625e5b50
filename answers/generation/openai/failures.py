"""What a model's server does wrong, as errors of ours.

Their details name statuses and codes alone: what a server says in words may repeat the question.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from math import isfinite

import httpx2
import openai

from answers.errors import AiNotConfigured, AiRefused, AiUnavailable, GenerationError

_REFUSED = frozenset({"content_filter", "content_policy_violation", "invalid_prompt", "moderation_blocked"})
_OUT_OF_CREDIT = "insufficient_quota"  # comes as 429, but waiting does not help
_PASSING = frozenset({408, 409, 425, 429})


@contextmanager
def told_as_ours() -> Iterator[None]:
    """Turn whatever the SDK, its transport and its parser raise into a `GenerationError`."""
    try:
        yield
    except openai.APIStatusError as error:
        raise _of_status(error) from None
    except openai.APIError as error:
        if str(error.code) in _REFUSED:
            raise AiRefused("the server's filter") from None
        raise AiUnavailable(type(error).__name__) from None
    # Broken chunks reach us raw: text that is no JSON, and JSON that has another shape than a chunk.
    except (httpx2.HTTPError, ValueError, TypeError, AttributeError, RuntimeError) as error:
        raise AiUnavailable(type(error).__name__) from None


def _of_status(error: openai.APIStatusError) -> GenerationError:
    detail = f"status {error.status_code}"
    if str(error.code) in _REFUSED:
        return AiRefused(detail)
    if str(error.code) != _OUT_OF_CREDIT and (error.status_code in _PASSING or error.status_code >= 500):
        return AiUnavailable(detail, retry_after(error.response.headers.get("retry-after")))
    # The key, the address or the model is wrong, or the server refuses what we cannot do without.
    return AiNotConfigured(detail)


def retry_after(header: str | None) -> float | None:
    """Return the seconds to wait that a `Retry-After` names, as a number or as a date."""
    if not header:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(header).timestamp() - time.time()
        except ValueError:
            return None
    return max(0.0, seconds) if isfinite(seconds) else None
