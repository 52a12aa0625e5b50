"""What can go wrong with a question or its answer; `code` is what the contract calls it.

AnswersError
├── QuestionEmpty               question_empty
├── QuestionTooLong             question_too_long
├── InvalidQuestion             invalid_payload
├── InvalidContent              names the place of what an answer may not hold
├── CannotAnswer                this provider does not take this question; the next one may
├── StoreAway                   server_busy
└── GenerationError             an answer could not be made
    ├── AiNotConfigured         ai_not_configured
    ├── AiUnavailable           ai_unavailable, retriable
    ├── AiTimeout               ai_timeout
    ├── AiRefused               ai_refused
    └── AiInvalidAnswer         ai_invalid_answer
"""


class AnswersError(Exception):
    """Base of this app's errors."""

    code = "internal_error"

    @classmethod
    def of(cls, code: str, retry_after: float | None) -> "AnswersError":
        """Return the failure of a draft that another process wrote down."""
        kind = next((kind for kind in GenerationError.__subclasses__() if kind.code == code), None)
        if kind:
            return kind(retry_after=retry_after)
        return StoreAway() if code == StoreAway.code else cls()


class QuestionEmpty(AnswersError):
    code = "question_empty"


class QuestionTooLong(AnswersError):
    code = "question_too_long"


class InvalidQuestion(AnswersError):
    """The question or its context holds something that no question may hold."""

    code = "invalid_payload"


class InvalidContent(AnswersError):
    """An answer does not have the contract's shape; each problem names its place."""

    code = "invalid_payload"

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class CannotAnswer(AnswersError):
    """A provider does not take this question."""


class StoreAway(AnswersError):
    """Where shared facts are kept does not answer; `retry_after`: seconds until it is worth another try."""

    code = "server_busy"
    retry_after = 1.0


class GenerationError(AnswersError):
    """An answer could not be made.

    `retriable`: whether asking again may help; `retry_after`: seconds the other side asked us to wait.
    """

    retriable = False

    def __init__(self, detail: str = "", retry_after: float | None = None) -> None:
        super().__init__(detail or self.code)
        self.retry_after = retry_after


class AiNotConfigured(GenerationError):
    code = "ai_not_configured"


class AiUnavailable(GenerationError):
    code = "ai_unavailable"
    retriable = True


class AiTimeout(GenerationError):
    code = "ai_timeout"


class AiRefused(GenerationError):
    code = "ai_refused"


class AiInvalidAnswer(GenerationError):
    code = "ai_invalid_answer"
