"""The events that operators count: one line each, with session and pseudonym, never a text or an e-mail."""

import logging

logger = logging.getLogger("tutor.events")


def log_event(event: str, **fields: object) -> None:
    """Write `event` with its fields as `name=value`; the same fields are attributes of the log record."""
    line = " ".join([event, *(f"{name}={value}" for name, value in fields.items())])
    logger.info(line, extra={"event": event, **fields})
