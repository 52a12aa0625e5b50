"""What is refused wherever an answer comes in, and how its author is told."""

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

MAX_PROBLEMS = 20  # of one answer that are told at once


def storable(text: str) -> str:
    """Refuse what no database and no UTF-8 can hold."""
    if "\0" in text:
        raise ValueError("the character NUL is not allowed")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("lone surrogates are not allowed") from None
    return text


def misplaced(place: tuple[str | int, ...], message: str) -> ValidationError:
    """Return the error of something wrong at a place further inside than the validator that found it."""
    error_type = PydanticCustomError("misplaced", "{message}", {"message": message})
    return ValidationError.from_exception_data("", [{"type": error_type, "loc": place, "input": None}])


def problems(error: ValidationError) -> list[str]:
    """Return what is wrong as "answer_steps[1].canvas_commands[0].x: …", without what was written there."""
    found = error.errors(include_input=False, include_url=False, include_context=False)
    told = []
    for problem in found[:MAX_PROBLEMS]:
        place = "".join(f"[{key}]" if isinstance(key, int) else f".{_short(key)}" for key in problem["loc"])
        message = problem["msg"].removeprefix("Value error, ")
        told.append(f"{place.lstrip('.')}: {message}" if place else message)
    if len(found) > MAX_PROBLEMS:
        told.append(f"and {len(found) - MAX_PROBLEMS} more")
    return told


def _short(key: str) -> str:
    return key[:40].encode("utf-8", "backslashreplace").decode()
