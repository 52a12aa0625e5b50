"""What is kept: answers, the other wordings that lead to them, who heard what and what they said of it."""

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Answer(models.Model):
    """One version of one answer. A published row is never edited: a correction is a new row."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("draft")
        PUBLISHED = "published", _("published")
        RETIRED = "retired", _("retired")

    class Source(models.TextChoices):
        CURATED = "curated", _("curated")
        MODEL = "model", _("model")
        MATHS = "maths", _("maths tutor")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    question_hash = models.CharField(_("key"), max_length=64, editable=False)
    normaliser = models.PositiveSmallIntegerField(_("normaliser"), editable=False)
    question_text = models.CharField(_("question"), max_length=2000)
    normalized_text = models.TextField(_("normalised question"), editable=False)
    language = models.CharField(_("language"), max_length=16)
    # Empty: the answer holds for any. Folding makes up to three code points of one.
    subject = models.CharField(_("subject"), max_length=600, blank=True, default="")
    level = models.CharField(_("level"), max_length=600, blank=True, default="")
    # The key holds more of what one student said than this row does: it is theirs alone, and no file has it.
    private = models.BooleanField(_("private"), default=False, editable=False)
    answer_steps = models.JSONField(_("steps"))
    total_duration = models.FloatField(_("duration in seconds"), default=0)
    status = models.CharField(_("status"), max_length=16, choices=Status, default=Status.DRAFT)
    source = models.CharField(_("source"), max_length=16, choices=Source, default=Source.CURATED)
    model = models.CharField(_("model"), max_length=100, blank=True, default="")
    prompt_version = models.CharField(_("prompt version"), max_length=32, blank=True, default="")
    # The draft it was played from while it was being written: sessions of that time find it by this.
    draft = models.UUIDField(null=True, blank=True, editable=False, unique=True)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("asked by"),
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    reviewed_at = models.DateTimeField(_("reviewed"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    published_at = models.DateTimeField(_("published on"), null=True, blank=True, editable=False)

    class Meta:
        db_table = "ai_answers"
        verbose_name = _("answer")
        verbose_name_plural = _("answers")
        constraints = [
            models.UniqueConstraint(
                fields=["question_hash"],
                condition=Q(status="published"),
                name="one_published_answer_per_key",
            )
        ]
        indexes = [
            models.Index(fields=["question_hash", "status"], name="answers_by_key"),
            models.Index(fields=["-created_at"], name="answers_by_age"),
        ]

    def __str__(self) -> str:
        return self.question_text


class Alias(models.Model):
    """Another wording of a question; an editor said that it asks exactly the same."""

    question_hash = models.CharField(_("key"), max_length=64, unique=True, editable=False)
    normaliser = models.PositiveSmallIntegerField(_("normaliser"), editable=False)
    question_text = models.CharField(_("wording"), max_length=2000)
    # The key of the answer, not a row: an alias outlives the versions of its answer.
    answer_hash = models.CharField(_("key of the answer"), max_length=64, editable=False, db_index=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("other wording")
        verbose_name_plural = _("other wordings")

    def __str__(self) -> str:
        return self.question_text


class Listening(models.Model):
    """How far one session has come; what a resume starts from when nothing else remembers it."""

    class State(models.TextChoices):
        PLAYING = "playing", _("playing")
        PAUSED = "paused", _("paused")
        COMPLETE = "complete", _("complete")
        STOPPED = "stopped", _("stopped")

    session_id = models.UUIDField(primary_key=True, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("student"),
        on_delete=models.CASCADE,
        related_name="listenings",
    )
    question_text = models.CharField(_("question"), max_length=2000)
    question_hash = models.CharField(_("key"), max_length=64)
    answer = models.ForeignKey(
        Answer,
        verbose_name=_("answer"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="listenings",
    )
    # While the answer is being written there is only its draft; saving the answer fills in `answer`.
    draft = models.UUIDField(null=True, blank=True, db_index=True)
    cached = models.BooleanField(_("from the cache"), default=False)
    state = models.CharField(_("state"), max_length=16, choices=State, default=State.PLAYING)
    step = models.PositiveSmallIntegerField(_("step"), default=1)
    position = models.PositiveIntegerField(_("position"), default=0)
    speed = models.FloatField(_("speed"), default=1)
    pauses = models.PositiveIntegerField(_("pauses"), default=0)
    played_seconds = models.FloatField(_("seconds played"), default=0)
    # What a question about it has in common with it. Empty, as the next three: of a version that wrote none.
    context = models.JSONField(_("context"), null=True, blank=True, editable=False)
    # The place that was not followed, of a question about another explanation.
    about_session = models.UUIDField(_("about"), null=True, blank=True, editable=False)
    about_step = models.PositiveSmallIntegerField(_("about its step"), null=True, blank=True)
    about_position = models.PositiveIntegerField(_("about its position"), null=True, blank=True)
    created_at = models.DateTimeField(_("began"))
    updated_at = models.DateTimeField(_("last heard"), auto_now=True)
    # The student has taken it from their list. A default of the database: older versions do not write it.
    removed = models.BooleanField(_("removed by the student"), db_default=False, editable=False)

    class Meta:
        verbose_name = _("listening")
        verbose_name_plural = _("listenings")
        indexes = [models.Index(fields=["user", "-updated_at"], name="listenings_of_a_student")]

    def __str__(self) -> str:
        return str(self.session_id)

    @property
    def about(self) -> dict[str, Any] | None:
        """Where in which session the student was lost who asked this."""
        if self.about_session is None:
            return None
        place = {"step": self.about_step, "position": self.about_position}
        return {"session_id": str(self.about_session), **place}


class Remark(models.Model):
    """What a student said about an explanation: whether it was clear, and what is wrong with it."""

    class Kind(models.TextChoices):
        CLEAR = "clear", _("clear")
        UNCLEAR = "unclear", _("not clear")
        WRONG = "wrong", _("something is wrong")

    # It knows the answer, also where that was still being written.
    listening = models.ForeignKey(
        Listening, verbose_name=_("listening"), on_delete=models.CASCADE, related_name="remarks"
    )
    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    step = models.PositiveSmallIntegerField(_("step"), null=True)
    position = models.PositiveIntegerField(_("position"), null=True)
    text = models.CharField(_("remark"), max_length=500, blank=True, default="")
    created_at = models.DateTimeField(_("made"), auto_now_add=True)

    class Meta:
        verbose_name = _("remark")
        verbose_name_plural = _("remarks")
        constraints = [
            models.UniqueConstraint(
                fields=["listening"],
                condition=Q(kind__in=["clear", "unclear"]),
                name="one_verdict_per_listening",
            )
        ]
        indexes = [models.Index(fields=["-created_at"], name="remarks_by_age")]

    def __str__(self) -> str:
        return self.text or self.get_kind_display()
