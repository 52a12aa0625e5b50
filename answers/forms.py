"""What editors fill in; whatever they save goes through `curation`."""

import json
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.forms.fields import InvalidJSONInput
from django.utils.translation import gettext_lazy as _

from answers import curation
from answers.errors import AnswersError, InvalidContent
from answers.files import in_order, read_json
from answers.models import Alias, Answer, Listening
from answers.questions import Question, read_question
from answers.schema import Explanation, read_explanation

Status = Answer.Status


class StepsField(forms.JSONField):
    """Steps as JSON; what an editor wrote stays as it was written until it can be saved."""

    widget = forms.Textarea(attrs={"rows": 30, "cols": 120, "spellcheck": "false"})

    def to_python(self, value: Any) -> Any:
        if not isinstance(value, str) or value in self.empty_values:
            return super().to_python(value)
        try:
            return read_json(value)
        except ValueError as error:
            raise forms.ValidationError(str(error), code="invalid") from None

    def bound_data(self, data: Any, initial: Any) -> Any:
        return data if data is None else InvalidJSONInput(data)

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, InvalidJSONInput):
            return value
        return json.dumps(value, ensure_ascii=False, indent=2)


class AnswerForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs alone
    """Whatever is saved here goes through `curation`: a version that students know is never edited."""

    answer_steps = StepsField(
        label=_("steps"),
        initial=[{"title": "", "type": "text", "parts": [""]}],
        help_text=_('Each step with "content" and "canvas_commands", or with "parts": text and commands.'),
    )
    serve = forms.ChoiceField(
        label=_("save as"),
        choices=[(Status.PUBLISHED, Status.PUBLISHED.label), (Status.DRAFT, Status.DRAFT.label)],
        help_text=_("Publishing replaces the version that is served now and counts as a review."),
    )

    class Meta:
        model = Answer
        fields = ("question_text", "language", "subject", "level", "answer_steps", "total_duration")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance._state.adding:
            self.initial["answer_steps"] = in_order(self.instance.answer_steps)
        published = self.instance.status == Status.PUBLISHED
        self.fields["serve"].initial = Status.PUBLISHED if published else Status.DRAFT
        self._question: Question | None = None
        self._explanation: Explanation | None = None

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if "answer_steps" in data and "total_duration" in data:
            self._read_explanation(data)
        if self.instance._state.adding and {"question_text", "language"} <= data.keys():
            self._read_question(data)
        key = self._question.key if self._question else self.instance.question_hash
        if key and data.get("serve") == Status.PUBLISHED:
            try:
                curation.ensure_own_question(key)
            except curation.WordingTaken as error:
                self.add_error(None, str(error))
        return data

    def write(self) -> Answer:
        """Save what was entered; return the version that now holds it."""
        assert self._explanation is not None  # noqa: S101 only a valid form is written
        status = Status(self.cleaned_data["serve"])
        if self._question is not None:
            return curation.add_version(self._question, self._explanation, status)
        # Not `self.instance`: that one carries the changes already.
        answer = Answer.objects.get(pk=self.instance.pk)
        published = status == Status.PUBLISHED
        if (answer.answer_steps, answer.total_duration) != (
            self._explanation.steps_json(),
            self._explanation.total_duration,
        ):
            return curation.revise(answer, self._explanation, published=published)
        return curation.publish(answer) if published else answer

    def _read_explanation(self, data: dict[str, Any]) -> None:
        content = {"answer_steps": data["answer_steps"], "total_duration": data["total_duration"]}
        try:
            self._explanation = read_explanation(content)
        except InvalidContent as error:
            for problem in error.problems:
                field = "total_duration" if problem.startswith("total_duration") else "answer_steps"
                self.add_error(field, problem)

    def _read_question(self, data: dict[str, Any]) -> None:
        context = {name: data.get(name, "") for name in ("language", "subject", "level")}
        try:
            self._question = read_question(data["question_text"], context)
        except AnswersError as error:
            self.add_error("question_text", str(error))


class AliasForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs alone
    answer = forms.ModelChoiceField(
        label=_("asks exactly the same as"),
        queryset=Answer.objects.filter(status=Status.PUBLISHED, private=False),
        # An alias refers to a key; any relation to answers tells the widget where to search.
        widget=AutocompleteSelect(Listening._meta.get_field("answer"), admin.site),
    )

    class Meta:
        model = Alias
        fields = ("question_text",)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if {"question_text", "answer"} <= data.keys():
            answer: Answer = data["answer"]
            context = {"language": answer.language, "subject": answer.subject, "level": answer.level}
            try:
                self.wording = read_question(data["question_text"], context)
                curation.ensure_free_wording(self.wording, answer.question_hash)
            except AnswersError as error:
                self.add_error("question_text", str(error))
        return data

    def write(self) -> Alias:
        return curation.add_alias(self.wording, self.cleaned_data["answer"].question_hash)
