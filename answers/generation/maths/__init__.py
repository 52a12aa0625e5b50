"""The built-in maths tutor: no key, no network, and no answer that is not certain."""

import asyncio
from collections.abc import AsyncGenerator
from typing import cast

from answers.errors import CannotAnswer
from answers.generation.base import Piece
from answers.generation.maths import arithmetic, derivatives, equations, systems, verification
from answers.generation.maths.notation import Notation
from answers.generation.maths.reading import Derivative, Equation, Problem, System, read
from answers.generation.maths.telling import Telling
from answers.questions import Question
from answers.recording import Recording
from answers.spoken import Tongue

__all__ = ["MathsTutor", "answer"]

TIME_LIMIT = 2.0  # seconds; what bounds the work are the limits of the parser, this only guards the wait


class MathsTutor:
    """Explains calculations, equations, systems and derivatives, in Spanish, English and Portuguese."""

    source = "maths"
    model = "maths-tutor"
    prompt_version = "2"

    async def explain(
        self, question: Question, written: Recording | None = None
    ) -> AsyncGenerator[Piece, None]:
        """Tell the steps of a problem; the same question tells the same pieces.

        Raises `CannotAnswer` before the first piece for anything that is not understood for certain.
        """
        problem, language = read(question.text, question.language), cast(Tongue, question.language)
        await asyncio.to_thread(verification.load)
        try:
            async with asyncio.timeout(TIME_LIMIT):
                telling = await asyncio.to_thread(answer, problem, language)
        except TimeoutError:
            raise CannotAnswer("it took too long") from None
        for piece in telling.pieces() if written is None else list(telling.rest(written)):
            yield piece

    async def aclose(self) -> None:
        """Nothing to let go of."""


def answer(problem: Problem, language: Tongue) -> Telling:
    """Return the whole verified explanation of a problem; raises `CannotAnswer`."""
    if isinstance(problem, Equation):
        return equations.tell(problem, language)
    if isinstance(problem, System):
        return systems.tell(problem, language)
    if isinstance(problem, Derivative):
        return derivatives.tell(problem, language)
    return arithmetic.tell(problem, Notation(language))
