"""Curation in the administration: answers, their other wordings, who heard what, what they said of it."""

import json
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.defaultfilters import truncatechars
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join, linebreaks
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from answers import curation
from answers.files import in_order
from answers.forms import AliasForm, AnswerForm
from answers.history import StepCount
from answers.models import Alias, Answer, Listening, Remark

Status = Answer.Status


@admin.register(Answer)
class AnswerAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs alone
    form = AnswerForm
    list_display = (
        "short_question",
        "language",
        "subject",
        "level",
        "status",
        "source",
        "steps",
        "reviewed",
        "created_at",
    )
    list_filter = (
        "status",
        "source",
        ("reviewed_at", admin.EmptyFieldListFilter),
        "language",
        "subject",
        "level",
        "private",
    )
    list_per_page = 50
    search_fields = ("question_text", "normalized_text")
    date_hierarchy = "created_at"
    ordering = ("-created_at",)
    actions = ("publish", "retire")

    class Media:
        css = {"all": ["answers/admin.css"]}

    question_fields = ("question_text", "language", "subject", "level")
    about = (
        "status",
        "source",
        "model",
        "prompt_version",
        "private",
        "reviewed_at",
        "published_at",
        "created_at",
        "versions",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Answer]:
        answers: QuerySet[Answer] = super().get_queryset(request).defer("answer_steps")
        return answers.annotate(step_count=StepCount("answer_steps"))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Answer], search_term: str
    ) -> tuple[QuerySet[Answer], bool]:
        if request.resolver_match and request.resolver_match.url_name == "autocomplete":
            queryset = queryset.filter(status=Status.PUBLISHED, private=False)
        return super().get_search_results(request, queryset, search_term)

    def get_readonly_fields(self, request: HttpRequest, obj: Answer | None = None) -> Any:
        return (*self.question_fields, *self.about, "readable") if obj else ()

    def get_fieldsets(self, request: HttpRequest, obj: Answer | None = None) -> Any:
        answer = (_("Answer"), {"fields": ("answer_steps", "total_duration", "serve")})
        if obj is None:
            return [(_("Question"), {"fields": self.question_fields}), answer]
        # Whoever may only look sees no form, and so not its fields either.
        edit = [answer] if self.has_change_permission(request, obj) else []
        return [
            (_("Question"), {"fields": self.question_fields}),
            (_("As it is read"), {"fields": ("readable",)}),
            *edit,
            (_("History"), {"fields": self.about}),
        ]

    def has_delete_permission(self, request: HttpRequest, obj: Answer | None = None) -> bool:
        # Answers are retired, so that what was heard can be told; to delete is for accidents.
        return bool(request.user.is_superuser) and (obj is None or obj.status != Status.PUBLISHED)

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Any:
        super().save_form(request, form, change)
        return form.write()

    def save_model(self, request: HttpRequest, obj: Answer, form: Any, change: bool) -> None:
        """`save_form` has written: only there may another version take the place of the one edited."""

    def response_change(self, request: HttpRequest, obj: Answer) -> HttpResponse:
        if "_continue" not in request.POST:
            return super().response_change(request, obj)
        self.message_user(request, _("This is the version that holds your changes."), messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:answers_answer_change", args=[obj.pk]))

    @admin.display(description=_("question"), ordering="question_text")
    def short_question(self, answer: Answer) -> str:
        return truncatechars(answer.question_text, 80)

    @admin.display(description=_("steps"), ordering="step_count")
    def steps(self, answer: Answer) -> int:
        return getattr(answer, "step_count", 0)

    @admin.display(description=_("steps"))
    def readable(self, answer: Answer) -> SafeString:
        # The form may have put unsaved steps into `answer`, of any shape.
        stored = Answer.objects.values_list("answer_steps", flat=True).get(pk=answer.pk)
        return format_html_join(
            "",
            '<div class="step"><h3>{}. {} ({})</h3>{}<pre>{}</pre></div>',
            (
                (
                    number,
                    step["title"],
                    step["type"],
                    mark_safe(linebreaks(step["content"], autoescape=True)),  # noqa: S308 escaped
                    "\n".join(json.dumps(command, ensure_ascii=False) for command in step["canvas_commands"]),
                )
                for number, step in enumerate(in_order(stored), 1)
            ),
        )

    @admin.display(description=_("reviewed"), boolean=True, ordering="reviewed_at")
    def reviewed(self, answer: Answer) -> bool:
        return answer.reviewed_at is not None

    @admin.display(description=_("versions"))
    def versions(self, answer: Answer) -> SafeString:
        rows = Answer.objects.filter(question_hash=answer.question_hash).order_by("-created_at")
        return format_html_join(
            "",
            '<div><a href="{}">{} {}, {}</a>{}</div>',
            (
                (
                    reverse("admin:answers_answer_change", args=[row.pk]),
                    date_format(localtime(row.created_at), "SHORT_DATETIME_FORMAT"),
                    row.get_status_display(),
                    row.get_source_display(),
                    format_html(" ({})", _("this one")) if row.pk == answer.pk else "",
                )
                for row in rows.defer("answer_steps")
            ),
        )

    @admin.action(description=_("Publish: serve these versions, as reviewed"), permissions=["change"])
    def publish(self, request: HttpRequest, queryset: QuerySet[Answer]) -> None:
        published = 0
        for answer in queryset.order_by("created_at"):
            try:
                curation.publish(answer)
            except curation.WordingTaken as error:
                self.message_user(request, f"“{answer}”: {error}", messages.ERROR)
            else:
                published += 1
        text = ngettext("%d answer was published.", "%d answers were published.", published)
        self.message_user(request, text % published, messages.SUCCESS if published else messages.WARNING)

    @admin.action(description=_("Retire: serve these versions to nobody"), permissions=["change"])
    def retire(self, request: HttpRequest, queryset: QuerySet[Answer]) -> None:
        answers = list(queryset)
        for answer in answers:
            curation.retire(answer)
        text = ngettext("%d answer was retired.", "%d answers were retired.", len(answers))
        self.message_user(request, text % len(answers), messages.SUCCESS)


@admin.register(Alias)
class AliasAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs alone
    form = AliasForm
    fields = ("question_text", "answer")
    list_display = ("question_text", "leads_to", "created_at")
    search_fields = ("question_text",)
    date_hierarchy = "created_at"
    ordering = ("-created_at",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Alias]:
        versions = Answer.objects.filter(question_hash=OuterRef("answer_hash")).order_by("-created_at")
        aliases: QuerySet[Alias] = super().get_queryset(request)
        return aliases.annotate(target=Subquery(versions.values("question_text")[:1]))

    def get_fields(self, request: HttpRequest, obj: Alias | None = None) -> Any:
        return ("question_text", "leads_to", "created_at") if obj else self.fields

    def has_change_permission(self, request: HttpRequest, obj: Alias | None = None) -> bool:
        return False  # another wording or another answer is another alias

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Any:
        super().save_form(request, form, change)
        return form.write()

    def save_model(self, request: HttpRequest, obj: Alias, form: Any, change: bool) -> None:
        """`save_form` has written."""

    @admin.display(description=_("asks exactly the same as"), ordering="target")
    def leads_to(self, alias: Alias) -> str:
        return getattr(alias, "target", None) or "–"


class ToLookAt(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs alone
    """Rows that nobody edits; they go with the account of the student."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)


@admin.register(Listening)
class ListeningAdmin(ToLookAt):
    list_display = (
        "short_question",
        "user",
        "state",
        "step",
        "position",
        "pauses",
        "played_seconds",
        "cached",
        "updated_at",
    )
    list_filter = ("state", "cached")
    list_select_related = ("user",)
    list_per_page = 50
    search_fields = ("question_text", f"user__{get_user_model().USERNAME_FIELD}")
    date_hierarchy = "created_at"
    ordering = ("-updated_at",)

    @admin.display(description=_("question"), ordering="question_text")
    def short_question(self, listening: Listening) -> str:
        return truncatechars(listening.question_text, 80)


@admin.register(Remark)
class RemarkAdmin(ToLookAt):
    list_display = ("kind", "answer", "place", "text", "student", "created_at")
    list_filter = ("kind", "created_at")
    list_select_related = ("listening__user",)
    list_per_page = 50
    search_fields = ("text", "listening__question_text")
    date_hierarchy = "created_at"
    ordering = ("-created_at",)
    fields = list_display

    @admin.display(description=_("answer"))
    def answer(self, remark: Remark) -> str:
        question = truncatechars(remark.listening.question_text, 80)
        if remark.listening.answer_id is None:
            return question
        url = reverse("admin:answers_answer_change", args=[remark.listening.answer_id])
        return format_html('<a href="{}">{}</a>', url, question)

    @admin.display(description=_("place"))
    def place(self, remark: Remark) -> str:
        return "–" if remark.step is None else f"{remark.step}:{remark.position or 0}"

    @admin.display(description=_("student"))
    def student(self, remark: Remark) -> str:
        return str(remark.listening.user)
