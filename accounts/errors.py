"""Why someone is not let in, or not now; `code` is what the contract calls it.

AccountsError
├── Unauthorized                unauthorized
├── TokenExpired                token_expired
├── RateLimited                 rate_limited, with the seconds to wait
└── TooManyConnections          too_many_connections
"""


class AccountsError(Exception):
    """Base of this app's errors; none carries a token, an e-mail or a password."""

    code = "internal_error"


class Unauthorized(AccountsError):
    """Nobody we know says so: forged, malformed, of another kind, or of someone unknown or inactive."""

    code = "unauthorized"


class TokenExpired(AccountsError):
    """The token was ours and its time is over."""

    code = "token_expired"


class RateLimited(AccountsError):
    """Too much in too short a time; `retry_after`: seconds until the next one is accepted."""

    code = "rate_limited"

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"retry after {retry_after:g} s")
        self.retry_after = retry_after


class TooManyConnections(AccountsError):
    code = "too_many_connections"
