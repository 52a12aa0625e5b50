"""What students say about explanations, kept for editors."""

from uuid import UUID

from django.db import transaction

from answers.errors import AnswersError
from answers.history import VERDICTS, own
from answers.models import Remark

Kind = Remark.Kind
MAX_WRONG = 20  # a session


class TooManyRemarks(AnswersError):
    """This student has said enough about this explanation."""

    code = "rate_limited"


def add_remark(
    session_id: UUID,
    user_id: str | UUID,
    kind: str,
    *,
    step: int | None = None,
    position: int | None = None,
    text: str = "",
) -> bool:
    """Keep what a student says of their session; of clear and unclear, what they say last holds.

    `step` counts from 1, `position` in code points. Return whether it is their session. Raises
    `TooManyRemarks`.
    """
    said = {"kind": kind, "step": step, "position": position, "text": text}
    with transaction.atomic():
        # Two at once about one session are one after the other.
        row = own(user_id).select_for_update().filter(pk=session_id).first()
        if row is None:
            return False
        if kind in VERDICTS:
            row.remarks.update_or_create(kind__in=VERDICTS, defaults=said)
        elif row.remarks.filter(kind=Kind.WRONG).count() >= MAX_WRONG:
            raise TooManyRemarks
        else:
            row.remarks.create(**said)
        return True
