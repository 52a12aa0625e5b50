"""Where answers come from when none is stored."""

from django.conf import settings

from answers.generation.base import Provider
from answers.generation.maths import MathsTutor
from answers.generation.openai import OpenAIProvider


def providers() -> list[Provider]:
    """Return the providers in the order in which they are asked: first what costs nothing."""
    asked: list[Provider] = [MathsTutor()]
    if settings.OPENAI_API_KEY:
        asked.append(OpenAIProvider(settings.OPENAI_API_KEY, settings.OPENAI_BASE_URL, settings.OPENAI_MODEL))
    return asked
