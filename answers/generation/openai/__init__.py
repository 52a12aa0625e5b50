"""Answers by a language model, from any server that speaks OpenAI's chat completions."""

from answers.generation.openai.provider import OpenAIProvider

__all__ = ["OpenAIProvider"]
