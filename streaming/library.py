"""The HTTP side of a student's own explanations: the list, what replays offline, and what they say of it."""

from dataclasses import asdict
from typing import Any, cast
from uuid import UUID

from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import conditional_page
from rest_framework import serializers
from rest_framework.authentication import SessionAuthentication
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from accounts.views import AccountView, Refusal, TokenAuthentication
from answers import history
from answers.lookup import answer_of
from answers.models import Remark
from answers.remarks import TooManyRemarks, add_remark
from answers.schema import MAX_CONTENT, MAX_STEPS
from streaming.errors import NoActiveSession
from streaming.library_words import WORDS
from streaming.messages import error_message

NOT_WRITTEN = "not_written"  # only here: on a socket the session goes on


class LibraryView(AccountView):
    """A view of what the student has asked; another student's explanation looks non-existent."""

    authentication_classes = [TokenAuthentication, SessionAuthentication]
    cache_control = "private, no-cache"  # the page may keep it for when the network is away

    @property
    def student(self) -> User:
        return cast(User, self.request.user)  # the default permission lets nobody else through

    def refusal(self, status: int, code: str) -> Refusal:
        language = self.student.language
        words = WORDS[language][NOT_WRITTEN] if code == NOT_WRITTEN else error_message(code, language)
        return Refusal(status, code, words)

    def uuid(self, session_id: str) -> UUID:
        try:
            return UUID(session_id)
        except ValueError:
            raise self.unknown() from None

    def unknown(self) -> Refusal:
        return self.refusal(404, NoActiveSession.code)


class Before(serializers.Serializer[Any]):
    before = serializers.DateTimeField(required=False)


class ExplanationsView(LibraryView):
    """What I asked, newest first, a page at a time: `?before=` the `created_at` of the last one known."""

    def get(self, request: Request) -> Response:
        asked = Before(data=request.query_params)
        asked.is_valid(raise_exception=True)
        found = history.entries(self.student.pk, asked.validated_data.get("before"))
        return Response([_entry(entry) for entry in found])


@method_decorator(conditional_page, name="dispatch")
class ExplanationView(LibraryView):
    """One explanation as a document that plays without a connection; DELETE takes it from the list."""

    def get(self, request: Request, session_id: str) -> Response:
        heard = history.own(self.student.pk).filter(pk=self.uuid(session_id)).first()
        if heard is None:
            raise self.unknown()
        stored = answer_of(heard.answer_id) if heard.answer_id else None
        if stored is None:
            raise self.refusal(409, NOT_WRITTEN)
        return Response(
            {
                "session_id": heard.pk,
                "question": heard.question_text,
                "question_hash": heard.question_hash,
                "answer_id": stored.answer_id,
                "language": stored.language,
                "total_steps": len(stored.answer_steps),
                "steps": stored.recording().as_shown(),
            }
        )

    def delete(self, request: Request, session_id: str) -> Response:
        if not history.forget(self.uuid(session_id), self.student.pk):
            raise self.unknown()
        return Response(status=204)


class Said(serializers.Serializer[Any]):
    """What a student says: whether it was clear, or what is wrong, and where."""

    kind = serializers.ChoiceField(Remark.Kind.choices)
    step = serializers.IntegerField(min_value=1, max_value=MAX_STEPS, required=False)
    position = serializers.IntegerField(min_value=0, max_value=MAX_CONTENT, required=False)
    text = serializers.CharField(max_length=500, allow_blank=True, required=False)


class RemarksView(LibraryView):
    def post(self, request: Request, session_id: str) -> Response:
        said = Said(data=request.data)
        said.is_valid(raise_exception=True)
        try:
            known = add_remark(self.uuid(session_id), self.student.pk, **said.validated_data)
        except TooManyRemarks as error:
            raise self.refusal(429, error.code) from None
        if not known:
            raise self.unknown()
        return Response(status=204)


def _entry(entry: history.Entry) -> dict[str, Any]:
    values = asdict(entry)
    if values.pop("shared"):  # the answer's address is worth handing on: whoever follows it asks the same
        return {**values, "link": reverse("answer", args=[entry.answer_id])}
    return {**values, "link": reverse("explanation", args=[entry.session_id])}
