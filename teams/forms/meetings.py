"""Forms of planning a team meeting. They validate and never save."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from crispy_forms.layout import Div, Field, Layout
from django import forms
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from teams.forms.address_field import AddressField
from teams.forms.filled import Filled
from teams.forms.studies import PlainForm, date_input
from teams.models import OfferedSlot, Participation, PlannedMeeting, ProposedDate, User
from teams.people.contact_person import why_not_contact

LATEST = timedelta(days=550)
MOST_TIMES = 12
N_DATES = 3


def in_words(moment: datetime) -> str:
    """Day and time as a person says them, such as “Tuesday 24 November 2026, 14:00”."""
    local = timezone.localtime(moment)
    return f"{date_format(local, 'l j F Y')}, {date_format(local, 'H:i')}"


class MomentField(forms.DateTimeField):
    """A day and time that is still to come, in the time zone of the installation."""

    widget = forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"})

    def clean(self, value: Any) -> Any:
        moment = super().clean(value)
        if moment is not None and moment <= timezone.now():
            raise forms.ValidationError(_("This time has passed. Choose a later one."))
        if moment is not None and moment > timezone.now() + LATEST:
            raise forms.ValidationError(_("This is more than a year and a half from now. Choose an earlier date."))
        return moment


def minutes_field() -> forms.IntegerField:
    return forms.IntegerField(
        label=gettext_lazy("Length in minutes"),
        min_value=15,
        max_value=240,
        initial=45,
        help_text=gettext_lazy("Answering takes about 10 minutes; with the introduction, plan 30 to 45."),
    )


def room_field() -> forms.CharField:
    return forms.CharField(label=gettext_lazy("Room"), max_length=120, required=False)


class RoomForm(Filled, PlainForm):
    """Room and length of a meeting that is being planned."""

    prefix = "room"
    minutes = minutes_field()
    room = room_field()

    def layout(self) -> Layout:
        return Layout(Div(*(Field(name, wrapper_class="col-sm-6") for name in ("minutes", "room")), css_class="row"))


class DatesForm(PlainForm):
    """Up to three dates to propose to the other side."""

    prefix = "dates"

    def __init__(self, *args: Any, first: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for number in range(1, N_DATES + 1):
            self.fields[f"date_{number}"] = MomentField(
                label=_("Date and time") if number == 1 else _("Another option (optional)"),
                required=number == 1,
                initial=first if number == 1 else None,
            )
        self.fields["minutes"], self.fields["room"] = minutes_field(), room_field()

    def layout(self) -> Layout:
        dates = [f"date_{number}" for number in range(1, N_DATES + 1)]
        pair = Div(*(Field(name, wrapper_class="col-sm-6") for name in ("minutes", "room")), css_class="row")
        return Layout(*dates, pair)

    def dates(self) -> list[datetime]:
        """The dates that were filled in. Call it on a valid form."""
        typed = (self.cleaned_data[f"date_{number}"] for number in range(1, N_DATES + 1))
        return [date for date in typed if date is not None]


class ChoiceOfDateForm(PlainForm):
    """One of the dates that the other side proposes."""

    prefix = "choice"
    date = forms.ChoiceField(label=gettext_lazy("Date"), widget=forms.RadioSelect)

    def __init__(self, *args: Any, dates: Iterable[ProposedDate], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.moments = {str(date.pk): date.starts_at for date in dates if date.starts_at > timezone.now()}
        _choices(self, "date", [(pk, in_words(moment)) for pk, moment in self.moments.items()])

    def moment(self) -> datetime:
        return self.moments[self.cleaned_data["date"]]


class SlotForm(PlainForm):
    """One of the times that researchers offer."""

    prefix = "slot"
    slot = forms.ChoiceField(label=gettext_lazy("Time"), widget=forms.RadioSelect)
    room = room_field()

    def __init__(self, *args: Any, slots: Sequence[OfferedSlot], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.slots = {str(slot.pk): slot for slot in slots}
        words = [(pk, f"{in_words(slot.starts_at)} ({slot.researcher})") for pk, slot in self.slots.items()]
        _choices(self, "slot", words)

    def chosen(self) -> OfferedSlot:
        return self.slots[self.cleaned_data["slot"]]


class FixForm(Filled, PlainForm):
    """A researcher fixes a date: one that the leader proposes, or another one that was agreed on otherwise."""

    prefix = "fix"
    OTHER = "other"
    date = forms.ChoiceField(label=gettext_lazy("Date"), widget=forms.RadioSelect)
    other = MomentField(label=gettext_lazy("Another date"), required=False)
    researcher = forms.ModelChoiceField(
        label=gettext_lazy("Researcher who comes"),
        queryset=User.objects.none(),
        required=False,
        empty_label=gettext_lazy("Nobody: a contact person leads"),
    )
    room = room_field()

    def __init__(self, *args: Any, planned: PlannedMeeting | None, participation: Participation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.participation = participation
        dates = planned.dates.filter(by_leader=True) if planned is not None else ()
        self.moments = {str(date.pk): date.starts_at for date in dates if date.starts_at > timezone.now()}
        words = [(pk, in_words(moment)) for pk, moment in self.moments.items()]
        _choices(self, "date", [*words, (self.OTHER, _("another date, which I agreed on with the leader"))])
        if not self.moments:
            self.fields["date"].initial = self.OTHER
        people = self.fields["researcher"]
        assert isinstance(people, forms.ModelChoiceField)
        people.queryset = User.objects.filter(roles__study=participation.study_id, is_active=True).order_by("name")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("date") == self.OTHER and not cleaned.get("other") and "other" not in self.errors:
            self.add_error("other", _("Fill in the date and time that you agreed on."))
        needs_researcher = self.participation.mode == Participation.Mode.RESEARCHER
        if needs_researcher and not cleaned.get("researcher"):
            self.add_error("researcher", _("Choose who comes: a researcher is present in this team's meeting."))
        return cleaned

    def moment(self) -> datetime:
        chosen: datetime = self.moments.get(self.cleaned_data["date"]) or self.cleaned_data["other"]
        return chosen


class WayForm(Filled, PlainForm):
    """How the answers are collected, and who introduces the questionnaire."""

    prefix = "way"
    mode = forms.ChoiceField(
        label=gettext_lazy("How do the teachers answer?"), choices=Participation.Mode.choices, widget=forms.RadioSelect
    )
    contact_name = forms.CharField(
        label=gettext_lazy("Contact person"),
        required=False,
        max_length=120,
        help_text=gettext_lazy(
            "A colleague who introduces the questionnaire in the meeting, if no researcher is there; not the team "
            "leader or the director. Preferably somebody from outside the team."
        ),
    )
    contact_email = AddressField(label=gettext_lazy("Email address of the contact person"), required=False)

    def __init__(self, *args: Any, participation: Participation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.participation = participation

    def clean_contact_email(self) -> str:
        email: str = self.cleaned_data["contact_email"]
        if why := why_not_contact(self.participation, email):
            raise forms.ValidationError(why)
        return email

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        names = ("contact_name", "contact_email")
        some = any(cleaned.get(name) for name in names)
        if cleaned.get("mode") == Participation.Mode.CONTACT or some:
            for name in names:
                if not cleaned.get(name) and name not in self.errors:
                    self.add_error(name, _("We need this to brief the contact person."))
        return cleaned


class OfferForm(PlainForm):
    """Times on one day that a researcher offers to the teams."""

    day = forms.DateField(label=gettext_lazy("Day"), widget=date_input())
    times = forms.CharField(
        label=gettext_lazy("Times"),
        max_length=120,
        help_text=gettext_lazy("For instance 9:00, 10:30, 13:15. The first team leader who chooses a time gets it."),
    )
    minutes = minutes_field()

    moments: list[datetime]

    def layout(self) -> Layout:
        pair = Div(*(Field(name, wrapper_class="col-sm-6") for name in ("day", "minutes")), css_class="row")
        return Layout(pair, "times")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        day, times = cleaned.get("day"), cleaned.get("times")
        if not day or not times:
            return cleaned
        self.moments = []
        for text in times.replace(";", ",").split(","):
            try:
                moment = datetime.strptime(text.strip().replace(".", ":"), "%H:%M")
            except ValueError:
                self.add_error(
                    "times", _("“%(text)s” is not a time. Write times such as 9:00, 10:30.") % {"text": text}
                )
                return cleaned
            self.moments.append(timezone.make_aware(datetime.combine(day, moment.time())))
        if len(self.moments) > MOST_TIMES:
            self.add_error("times", _("Offer at most %(n)s times at once.") % {"n": MOST_TIMES})
        elif min(self.moments) <= timezone.now():
            self.add_error("day", _("This time has passed. Choose a later one."))
        elif max(self.moments) > timezone.now() + LATEST:
            self.add_error("day", _("This is more than a year and a half from now. Choose an earlier date."))
        return cleaned


def _choices(form: forms.Form, name: str, choices: list[tuple[str, str]]) -> None:
    field = form.fields[name]
    assert isinstance(field, forms.ChoiceField)
    field.choices = choices
