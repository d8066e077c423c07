"""What directors and team leaders answer to an invitation. The forms validate and never save."""

import datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from teams.base.written import Written
from teams.forms.address_field import AddressField
from teams.forms.filled import Filled
from teams.forms.studies import PlainForm, date_input
from teams.inviting.invitations import REASONS_TO_DECLINE, Approach
from teams.models import Invitation, Participation
from teams.people.contact_person import SamePerson, why_not_contact
from teams.text.addresses import same_person
from teams.text.directions import isolated


class DeclineForm(Written):
    prefix = "decline"

    reason = forms.ChoiceField(
        label=gettext_lazy("Reason"), choices=[("", gettext_lazy("Choose a reason")), *REASONS_TO_DECLINE]
    )
    text = forms.CharField(
        label=gettext_lazy("Explanation (optional)"),
        required=False,
        max_length=400,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class WithdrawForm(DeclineForm):
    """A permission taken back, with the same reasons as a refusal."""

    prefix = "withdraw"


class WithdrawByLinkForm(WithdrawForm):
    """By a mailed link: whoever holds it also needs the code that was mailed to the address itself."""

    code = forms.CharField(
        label=gettext_lazy("The code from the email"),
        max_length=12,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code"}),
    )

    field_order = ["code"]


class DirectorForm(Filled, PlainForm):
    """The teams to approach, with their leaders, and the undertaking."""

    not_before = forms.DateField(
        label=gettext_lazy("Do not ask the team leaders before"),
        required=False,
        widget=date_input(),
        help_text=gettext_lazy("Optional. Without a date, we ask them now."),
    )
    undertaking = forms.BooleanField(
        label=gettext_lazy("I undertake this for the academy and give permission to ask these teams."),
        error_messages={"required": gettext_lazy("We can only ask your teams if you undertake this.")},
    )

    def __init__(self, *args: Any, participations: list[Participation], invitation: Invitation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.participations, self.study_ends = participations, invitation.study.ends_on
        self.invitation = invitation
        for participation in participations:
            team = participation.team
            self.fields[f"ask_{participation.pk}"] = forms.BooleanField(
                label=team.name,
                required=False,
                initial=True,
                widget=forms.CheckboxInput(attrs={"class": "form-check-input"}),
            )
            self.fields[f"name_{participation.pk}"] = forms.CharField(
                label=_("Leader of %s") % isolated(team.name),
                max_length=120,
                required=False,
                initial=participation.leader_name,
            )
            self.fields[f"email_{participation.pk}"] = AddressField(
                label=_("Email address for %s") % isolated(team.name),
                required=False,
                initial=participation.leader_email,
            )

    def rows(self) -> list[tuple[Participation, forms.BoundField, forms.BoundField, forms.BoundField]]:
        """Each team with its three fields, for the page."""
        return [
            (
                participation,
                self[f"ask_{participation.pk}"],
                self[f"name_{participation.pk}"],
                self[f"email_{participation.pk}"],
            )
            for participation in self.participations
        ]

    def clean_not_before(self) -> datetime.date | None:
        """A slip of the pen would leave the team leaders unasked, and nobody would know why."""
        day: datetime.date | None = self.cleaned_data["not_before"]
        if day and day < timezone.localdate():
            raise forms.ValidationError(
                _("This day has passed. Choose a later one, or leave it empty: then we ask them now.")
            )
        if day and day > self.study_ends:
            raise forms.ValidationError(_("The study ends before this day. Choose an earlier one."))
        return day

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        chosen = [participation.pk for participation in self.participations if cleaned.get(f"ask_{participation.pk}")]
        for participation in self.participations:
            if participation.pk in chosen and self._names_the_director(
                participation, cleaned.get(f"email_{participation.pk}") or ""
            ):
                self.add_error(f"email_{participation.pk}", self._why_not_the_director())
        for pk in chosen:
            for name in (f"name_{pk}", f"email_{pk}"):
                if not cleaned.get(name) and name not in self.errors:
                    self.add_error(name, _("We need this to ask the team."))
        if not chosen:
            raise forms.ValidationError(_("Choose at least one team, or decline below."))
        return cleaned

    def refuse_leader(self, error: SamePerson) -> None:
        """Say at the team of which it is so that its leader cannot be its contact person."""
        name = f"email_{error.participation_id}"
        self.add_error(name if name in self.fields else None, str(error))

    def _names_the_director(self, participation: Participation, email: str) -> bool:
        """Whether this is a new leader's address, and the director's own but for its spelling."""
        academy = self.invitation.academy
        known = email.lower() == participation.leader_email.lower()  # a researcher may have recorded it
        return academy is not None and not known and same_person(email, academy.director_email)

    def _why_not_the_director(self) -> str:
        return _(
            "This is your own address. A team leader sees results of the team that a director sees only if the team "
            "leader agrees, so enter somebody else here. Do you lead this team yourself? Ask %(name)s, %(email)s, to "
            "record that."
        ) % {"name": isolated(self.invitation.study.contact_name), "email": self.invitation.study.contact_email}

    def approach(self) -> list[Approach]:
        """The chosen teams. Call it on a valid form."""
        return [
            Approach(
                participation.pk,
                self.cleaned_data[f"name_{participation.pk}"],
                self.cleaned_data[f"email_{participation.pk}"],
            )
            for participation in self.participations
            if self.cleaned_data[f"ask_{participation.pk}"]
        ]


class LeaderForm(PlainForm):
    """How the team's answers are collected, from how many, and the undertaking."""

    mode = forms.ChoiceField(
        label=gettext_lazy("How do the teachers answer?"), choices=Participation.Mode.choices, widget=forms.RadioSelect
    )
    approached = forms.IntegerField(
        label=gettext_lazy("How many teachers are in the team?"),
        min_value=1,
        max_value=500,
        help_text=gettext_lazy("Everyone who teaches in the programme and whom you will ask to take part."),
    )
    meets_on = forms.DateField(
        label=gettext_lazy("Date of the team meeting"),
        required=False,
        widget=date_input(),
        help_text=gettext_lazy(
            "If you already know it. If you give a time as well, it is proposed to the researchers at once."
        ),
    )
    meets_time = forms.TimeField(
        label=gettext_lazy("Time of the team meeting"),
        required=False,
        widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"}),
    )
    contact_name = forms.CharField(
        label=gettext_lazy("Contact person"),
        required=False,
        max_length=120,
        help_text=gettext_lazy(
            "A colleague who introduces the questionnaire in the meeting, if no researcher is there. Not you and not "
            "the director: whoever counts must not be the person who gets the report. Preferably somebody from "
            "outside the team."
        ),
    )
    contact_email = AddressField(label=gettext_lazy("Email address of the contact person"), required=False)
    director_sees_team = forms.BooleanField(
        label=gettext_lazy("The director may see this team's own results."),
        required=False,
        help_text=gettext_lazy("If not, the director sees only the results of several teams together."),
    )
    undertaking = forms.BooleanField(
        label=gettext_lazy("I undertake this, and the team takes part."),
        error_messages={"required": gettext_lazy("Your team can only take part if you undertake this.")},
    )

    def __init__(self, *args: Any, participation: Participation, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"approached": participation.approached})  # known of a team split off
        super().__init__(*args, **kwargs)
        self.participation = participation
        self.k = participation.study.k
        self.fields["approached"].widget.attrs["aria-describedby"] = "id_approached_helptext few"
        self.study_ends = participation.study.ends_on

    def clean_contact_email(self) -> str:
        email: str = self.cleaned_data["contact_email"]
        if why := why_not_contact(self.participation, email):
            raise forms.ValidationError(why)
        return email

    def clean_meets_on(self) -> datetime.date | None:
        day: datetime.date | None = self.cleaned_data["meets_on"]
        if day and day < timezone.localdate():
            raise forms.ValidationError(_("This day has passed. Choose a later one, or leave it empty."))
        if day and day > self.study_ends:
            raise forms.ValidationError(_("The study ends before this day. Choose an earlier one."))
        return day

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("meets_time") and not cleaned.get("meets_on") and "meets_on" not in self.errors:
            self.add_error("meets_on", _("Fill in the day too."))
        if cleaned.get("mode") == Participation.Mode.CONTACT:
            for name in ("contact_name", "contact_email"):
                if not cleaned.get(name) and name not in self.errors:
                    self.add_error(name, _("We need this to brief the contact person."))
        return cleaned

    def is_few(self) -> bool:
        """Whether what was filled in is a team that gets no report of its own."""
        return self.is_bound and 0 < (getattr(self, "cleaned_data", {}).get("approached") or 0) < self.k

    def answers(self) -> dict[str, Any]:
        """What ``invitations.accept_team`` takes. Call it on a valid form."""
        return {
            name: value or "" if name.startswith("contact") else value
            for name, value in self.cleaned_data.items()
            if name not in ("undertaking", "meets_time")
        }

    def meets_at(self) -> datetime.datetime | None:
        """The moment of the meeting, if day and time are known, still to come, and there is one."""
        day, at = self.cleaned_data["meets_on"], self.cleaned_data["meets_time"]
        if not day or not at or self.cleaned_data["mode"] == Participation.Mode.ONLINE:
            return None
        moment = timezone.make_aware(datetime.datetime.combine(day, at))
        return moment if moment > timezone.now() else None
