"""What can go wrong with a session; `code` is what the contract calls it.

StreamingError
├── InvalidPayload      invalid_payload
├── UnknownEvent        unknown_event
├── InvalidPosition     invalid_position
├── NoActiveSession     no_active_session
├── ServerBusy          server_busy
└── DraftLost           ai_unavailable
"""


class StreamingError(Exception):
    """Base of this app's errors."""

    code = "internal_error"

    @classmethod
    def of(cls, code: str) -> "StreamingError":
        """Return the error that another connection reported by its code."""
        kind = next((kind for kind in cls.__subclasses__() if kind.code == code), cls)
        return kind()


class InvalidPayload(StreamingError):
    code = "invalid_payload"


class UnknownEvent(StreamingError):
    code = "unknown_event"


class InvalidPosition(StreamingError):
    code = "invalid_position"


class NoActiveSession(StreamingError):
    code = "no_active_session"


class ServerBusy(StreamingError):
    code = "server_busy"


class DraftLost(StreamingError):
    """The answer that a session was hearing while it was being written is gone, and the session with it."""

    code = "ai_unavailable"

    def __init__(self, step: int = 1, position: int = 0) -> None:
        super().__init__()
        self.step, self.position = step, position  # where the session ended
