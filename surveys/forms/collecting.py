"""Forms of collecting: they check; step modules write."""

import datetime
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from surveys.collecting import meeting_texts
from surveys.linking import address_lists
from surveys.models import QuestionnaireVersion, Survey
from surveys.models.questionnaire import in_language
from surveys.questionnaires.publishing import definition_of
from teams.base.written import Written
from teams.forms.address_field import AddressField
from teams.forms.filled import Filled
from teams.models import Academy, Participation, Study
from teams.models.languages import language_names
from teams.text.addresses import is_address, pasted

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise as StrOrPromise

MOST_ADDRESSES = 500
MOST_PRESENT = 1000
MOST_SLIPS = 300  # at a time


def _present(*, required: bool = True, help_text: "StrOrPromise" = "") -> forms.IntegerField:
    """How many teachers were there: one field for all who count."""
    return forms.IntegerField(
        label=gettext_lazy("Teachers present"),
        required=required,
        min_value=0,
        max_value=MOST_PRESENT,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
        help_text=help_text
        or gettext_lazy("Count everybody in the room who belongs to the team, including those who do not take part."),
    )


class PresentForm(Filled):
    """Of two devices on which this page is open, none takes back what the other wrote down: a count, or who leads."""

    present = _present()
    paper = forms.IntegerField(
        label=gettext_lazy("Forms on paper"),
        required=False,
        min_value=0,
        max_value=MOST_PRESENT,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
        help_text=gettext_lazy("How many forms were handed in on paper. Leave it empty if there were none."),
    )
    shared_device = forms.BooleanField(
        label=gettext_lazy("Several people answered in turn on one device."),
        required=False,
        help_text=gettext_lazy(
            "If many answers come from one device and nobody said so, a researcher first checks whether they are "
            "from different people."
        ),
    )
    mode = forms.ChoiceField(
        label=gettext_lazy("Who leads this meeting?"),
        required=False,
        choices=[
            (Participation.Mode.RESEARCHER, gettext_lazy("A researcher")),
            (Participation.Mode.CONTACT, gettext_lazy("The contact person, without a researcher")),
        ],
        widget=forms.RadioSelect,
    )


class CloseForm(Written):
    """How many were present, asked once more where nobody said it before a meeting's collecting closes."""

    present = _present(required=False)
    unknown = forms.BooleanField(
        label=gettext_lazy("Nobody counted."),
        required=False,
        help_text=gettext_lazy("Then there is no report until a researcher has looked at it."),
    )
    prefix = "close"

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if "present" not in self.errors and cleaned.get("present") is None and not cleaned.get("unknown"):
            self.add_error("present", _("Say how many teachers are present, or tick that they were not counted."))
        return cleaned


class ShowForm(Written):
    """How many are present, asked where nobody said it before a team sees its own figures: without the count there are none."""

    present = _present()
    prefix = "show"


class CountedForm(Written):
    """How many were present, as a researcher knows it."""

    present = _present(
        help_text=gettext_lazy(
            "As you counted it, or as you were told by somebody who was there and is not the team leader."
        )
    )


class SlipsForm(Written):
    """How many slips to print."""

    n = forms.IntegerField(
        label=gettext_lazy("How many slips?"),
        min_value=1,
        max_value=MOST_SLIPS,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
        help_text=gettext_lazy("One for everybody who is there, and a few extra: a slip can get lost."),
    )


class HandedInForm(Written):
    """How many forms on paper were handed in, corrected."""

    handed_in = forms.IntegerField(
        label=gettext_lazy("Paper forms handed in"),
        required=False,
        min_value=0,
        max_value=MOST_PRESENT,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
        help_text=gettext_lazy("As counted in the meeting. The answers are sealed once as many are entered."),
    )


class CountsForm(Filled):
    """How many teachers were asked and how many refused, corrected with a reason."""

    approached = forms.IntegerField(
        label=gettext_lazy("Teachers approached"),
        min_value=1,
        max_value=MOST_PRESENT,
        help_text=gettext_lazy("All members of the team whom the leader asked, including those who were not there."),
    )
    refused = forms.IntegerField(
        label=gettext_lazy("Of these, how many refused"),
        min_value=0,
        max_value=MOST_PRESENT,
        help_text=gettext_lazy(
            "Teachers who told somebody that they would not take part. Those who simply did not answer are not "
            "counted here."
        ),
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason for the correction"),
        max_length=300,
        help_text=gettext_lazy("It appears in the team's history. Do not name any teachers."),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        approached, refused = cleaned.get("approached"), cleaned.get("refused")
        if approached is not None and refused is not None and refused > approached:
            self.add_error("refused", _("There cannot be more refusals than teachers approached."))
        return cleaned


class RoundForm(Written):
    """When the holders of personal links are reminded."""

    due_at = forms.DateTimeField(
        label=gettext_lazy("Day and time"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )

    def clean_due_at(self) -> datetime.datetime:
        due_at: datetime.datetime = self.cleaned_data["due_at"]
        if due_at <= timezone.now():
            raise ValidationError(_("This time has passed. Choose a later one."))
        return due_at


class MeetingTextsForm(Filled):
    """What is read aloud in meetings and what people ask there: a text per kind and language."""

    def __init__(self, *args: Any, survey: Survey, **options: Any) -> None:
        super().__init__(*args, **options)
        self.survey = survey
        labels = {
            meeting_texts.BRIEFING: _("To read aloud (%(language)s)"),
            meeting_texts.QUESTIONS: _("Questions that people ask (%(language)s)"),
        }
        for (kind, language), text in self.stored().items():
            self.fields[f"{kind}_{language}"] = forms.CharField(
                label=labels[kind] % {"language": language_names()[language]},
                required=False,
                max_length=20_000,
                initial=text,
                widget=forms.Textarea(attrs={"rows": 14, "lang": language}),
            )

    def stored(self) -> dict[tuple[str, str], str]:
        """The texts as they stand, by kind and language."""
        return {
            (kind, language): meeting_texts.text_of(self.survey, kind, language)
            for kind in meeting_texts.KINDS
            for language in meeting_texts.languages()
        }

    def texts(self) -> dict[tuple[str, str], str]:
        """What was written; where nothing was, the default."""
        return {
            (kind, language): self.cleaned_data[f"{kind}_{language}"] or meeting_texts.default_text(kind, language)
            for kind, language in self.stored()
        }

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for kind, language in self.stored():
            name = f"{kind}_{language}"
            text = cleaned.get(name, "")
            for place in meeting_texts.unknown_places(text):
                self.add_error(
                    name,
                    _("{%(place)s} cannot be filled in. You can use {team}, {controller} and {k}.") % {"place": place},
                )
            if kind == meeting_texts.QUESTIONS:
                for entry in meeting_texts.asked(text, self.survey.study, ""):
                    if not entry.answer:
                        self.add_error(
                            name,
                            _("“%(question)s” has no answer. Write it on the line below the question.")
                            % {"question": entry.question},
                        )
        return cleaned


class AskForm(Written):
    """Who confirms the addresses of an academy's teachers."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    email = AddressField(
        label=gettext_lazy("Email address"),
        help_text=gettext_lazy(
            "Somebody of the institution who can look teachers up and leads no team: the contact person, the secretary or the "
            "personnel department. They see the addresses, never an answer."
        ),
    )

    def __init__(self, *args: Any, study: Study, academy: Academy, **options: Any) -> None:
        super().__init__(*args, **options)
        self.study, self.academy = study, academy

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"]
        why = {
            "leader": _(
                "This person leads a team. Somebody who gets a report must not confirm who belongs to it: "
                "name somebody else."
            ),
            "director": _(
                "This is the director of the academy. Somebody who gets a report must not confirm who belongs to it: "
                "name somebody else."
            ),
            "researcher": _("Researchers see the answers: let somebody of the academy confirm the addresses."),
            "stranger": _(
                "This is not a person's address in a mail domain of the institution. If the address is right, add "
                "the domain first."
            ),
        }
        if wrong := address_lists.may_not_confirm(self.study, self.academy, email):
            raise ValidationError(why[wrong])
        return email


class AddressesForm(Written):
    """A pasted list of e-mail addresses, in whatever way mail programs copy them."""

    addresses = forms.CharField(
        label=gettext_lazy("Email addresses of the teachers"),
        widget=forms.Textarea(attrs={"rows": 6, "autocomplete": "off", "spellcheck": "false"}),
        help_text=gettext_lazy(
            "One on each line, or a list copied from your email program; there may be names with the addresses."
        ),
        max_length=50_000,
    )
    seen = forms.CharField(
        required=False, max_length=200_000, widget=forms.HiddenInput
    )  # what was shown before: pasting.py
    left: Sequence[str] = ()  # pieces of the text without an address
    wrong: Sequence[str] = ()  # what looks like an address and is none
    twice: Sequence[str] = ()

    def clean_addresses(self) -> list[str]:
        """The addresses in lower case, each once, in the order given. What else stands there is kept beside: ``left``, ``wrong``
        and ``twice``, which the page names before anything is sent.
        """
        candidates, self.left = pasted(self.cleaned_data["addresses"])
        times = Counter(candidates)
        good = {address: is_address(address) for address in times}
        self.twice = [address for address, n in times.items() if n > 1]
        self.wrong = [address for address in times if not good[address]]
        addresses = [address for address in times if good[address]]
        if not addresses:
            shown = ", ".join([*self.left, *self.wrong][:10])
            raise ValidationError(
                _("There is no email address in: %(left)s. Correct it or leave it out.") % {"left": shown}
            )
        if len(addresses) > MOST_ADDRESSES:
            raise ValidationError(_("Paste at most %(n)s addresses at a time.") % {"n": MOST_ADDRESSES})
        return addresses


class _Codes(forms.MultipleChoiceField):
    """Codes of questions; those that the chosen version does not have are left out by whoever asks for them."""

    def valid_value(self, value: str) -> bool:
        return True


class ChooseForm(Filled):
    """Which frozen version a study asks, and which of its background questions."""

    version = forms.ModelChoiceField(
        label=gettext_lazy("Questionnaire"),
        queryset=QuestionnaireVersion.objects.none(),
        empty_label=None,
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, versions: list[QuestionnaireVersion], chosen: list[str], **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["version"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = QuestionnaireVersion.objects.filter(
            pk__in=[version.pk for version in versions]
        ).select_related("questionnaire")
        self.versions = versions
        self.fields["background"] = _Codes(
            label=_("Background questions"),
            required=False,
            choices=[(code, text) for code, text, _is_chosen in self._asked(())],
            initial=chosen,
        )

    @property
    def chosen(self) -> list[str]:
        """The background questions that are ticked on the page."""
        return list(self["background"].value() or [])

    def questions(self) -> list[tuple[str, str, bool]]:
        """Code, text and whether it is chosen, of every background question of any of the versions."""
        return self._asked(self.chosen)

    def _asked(self, chosen: Sequence[str]) -> list[tuple[str, str, bool]]:
        texts: dict[str, str] = {}
        for version in self.versions:
            for question in definition_of(version).background:
                texts.setdefault(question.code, in_language(dict(question.text), get_language()))
        return [(code, text, code in chosen) for code, text in texts.items()]

    def background(self) -> list[str]:
        """The chosen background questions that the chosen version has, in its order."""
        version: QuestionnaireVersion = self.cleaned_data["version"]
        return [code for code in definition_of(version).background_codes if code in self.cleaned_data["background"]]
