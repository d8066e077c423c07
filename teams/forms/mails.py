"""Forms of the mails of a study: its words, its hours, its reminders. They validate and never save."""

from typing import Any

from crispy_forms.layout import Div, Field, Layout
from django import forms
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from teams.forms.filled import Filled
from teams.forms.studies import PlainForm, date_input
from teams.mail import pace, templates
from teams.models import MailHours, ReminderSchedule, Study


class ScheduleForm(Filled, PlainForm):
    """How often, and until when. The button that was pressed says whether it is on."""

    after_days = forms.IntegerField(
        label=gettext_lazy("Days between two emails"),
        min_value=1,
        max_value=60,
        help_text=gettext_lazy("Counted from the invitation, and then from the last reminder."),
    )
    times = forms.IntegerField(label=gettext_lazy("Maximum number of reminders per person"), min_value=1, max_value=5)
    until = forms.DateField(
        label=gettext_lazy("No reminders after"),
        required=False,
        widget=date_input(),
        help_text=gettext_lazy("Without a date: until the last day of the study."),
    )

    def __init__(self, *args: Any, schedule: ReminderSchedule, **kwargs: Any) -> None:
        initial = {name: getattr(schedule, name) for name in ("after_days", "times", "until")}
        super().__init__(*args, **{**kwargs, "initial": initial, "prefix": schedule.tier})
        self.study: Study = schedule.study

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        until = cleaned.get("until")
        if until and until > self.study.ends_on:
            self.add_error("until", _("The study ends before this day. Choose an earlier one."))
        return cleaned


class HoursForm(Filled, PlainForm):
    """The days and hours in which mails of the study go out, or those of the site."""

    own = forms.TypedChoiceField(
        label=gettext_lazy("When do emails go out?"),
        choices=[
            ("", gettext_lazy("the same as for the whole site")),
            ("own", gettext_lazy("only on these days and hours:")),
        ],
        required=False,
        widget=forms.RadioSelect,
    )
    days = forms.MultipleChoiceField(
        label=gettext_lazy("Days"),
        required=False,
        choices=[(str(number + 1), name) for number, name in WEEKDAYS.items()],
        widget=forms.CheckboxSelectMultiple,
    )
    begin = forms.TimeField(
        label=gettext_lazy("From"), required=False, widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"})
    )
    end = forms.TimeField(
        label=gettext_lazy("Until"), required=False, widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"})
    )

    def __init__(self, *args: Any, own: MailHours | None, **kwargs: Any) -> None:
        hours = pace.Hours(own.days, own.begin, own.end) if own else pace.site_hours()
        initial = {
            "own": "own" if own else "",
            "days": list(hours.days) if hours else list("12345"),
            "begin": hours.begin if hours else "08:00",
            "end": hours.end if hours else "18:00",
        }
        super().__init__(*args, **{**kwargs, "initial": initial})

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if not cleaned.get("own"):
            return cleaned
        if not cleaned.get("days") and "days" not in self.errors:
            self.add_error("days", _("Choose at least one day."))
        for name in ("begin", "end"):
            if not cleaned.get(name) and name not in self.errors:
                self.add_error(name, _("Give a time, such as 08:00."))
        begin, end = cleaned.get("begin"), cleaned.get("end")
        if begin and end and end <= begin:
            self.add_error("end", _("This must be later than the start."))
        return cleaned

    def layout(self) -> Layout:
        half = Div(Field("begin", wrapper_class="col-6"), Field("end", wrapper_class="col-6"), css_class="row")
        return Layout("own", "days", half)

    def hours(self) -> pace.Hours | None:
        """What was chosen; None: as the site has it. Call it on a valid form."""
        chosen = self.cleaned_data
        return pace.Hours("".join(chosen["days"]), chosen["begin"], chosen["end"]) if chosen["own"] else None


class WordsForm(Filled):
    """Subject and text of a letter in one language."""

    subject = forms.CharField(label=gettext_lazy("Subject"), max_length=150, required=False, strip=False)
    body = forms.CharField(
        label=gettext_lazy("Text"),
        max_length=5000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 22}),
        help_text=gettext_lazy("An empty line begins a new paragraph. The closing is added automatically."),
    )

    def __init__(self, *args: Any, kind: str, language: str, words: templates.Wording, **kwargs: Any) -> None:
        initial = {"subject": words.subject, "body": words.body}
        super().__init__(*args, **{**kwargs, "initial": initial, "prefix": language})
        self.kind = kind
        for field in self.fields.values():
            field.widget.attrs["lang"] = language

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "subject" in cleaned and "body" in cleaned:
            cleaned["subject"] = cleaned["subject"].strip(" ")
            for place, sentence in templates.problems(self.kind, cleaned["subject"], cleaned["body"]):
                self.add_error(place, sentence)
        return cleaned

    def words(self) -> templates.Wording:
        """What was written. Call it on a valid form."""
        return templates.Wording(self.cleaned_data["subject"], self.cleaned_data["body"], own=True)
