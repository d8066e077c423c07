"""Forms of setting up a study: they validate and never save."""

from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import HTML, Div, Field, Fieldset, Layout
from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from teams.contacts import AcademyData, TeamData
from teams.models import Academy, Institution, Sector, Study, Team
from teams.studies import PROMISED
from teams.tables import UnreadableTable, read_table


class PlainForm(forms.Form):
    """A form whose one-line texts hold no line breaks: they end up in the headers of mails. Addresses in lower case."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for name, value in list(cleaned.items()):  # add_error takes names out
            field = self.fields.get(name)
            if not isinstance(value, str) or isinstance(getattr(field, "widget", None), forms.Textarea):
                continue
            if any(ord(character) < 32 or ord(character) == 127 for character in value):
                self.add_error(name, _("Write this on one line."))
            elif isinstance(field, forms.EmailField):
                cleaned[name] = value.lower()
        return cleaned

    @property
    def helper(self) -> FormHelper:
        helper = FormHelper()
        helper.form_tag = False
        helper.layout = self.layout()
        return helper

    def layout(self) -> Layout:
        return Layout(*self.fields)


def date_input() -> forms.DateInput:
    return forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})


class StudyForm(PlainForm, forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Study
        fields = [
            "title",
            "wave",
            "previous",
            "starts_on",
            "ends_on",
            "contact_name",
            "contact_email",
            "k",
            "grace_hours",
            "report_days",
            "controller",
            "joint_controllers",
            "processor",
            "legal_basis",
            "privacy_contact",
            "ethics_number",
            "retention_years",
            "dpia",
            "works_council",
        ]
        widgets = {"starts_on": date_input(), "ends_on": date_input()}
        help_texts = {
            "wave": gettext_lazy("1 for the first time, 2 for the second time with the same teams, and so on."),
            "previous": gettext_lazy("The study of the wave before, to compare with."),
            "k": gettext_lazy("Results are shown only of groups of at least so many people; never less than 5."),
            "grace_hours": gettext_lazy("Who started before closing may finish within these hours."),
            "controller": gettext_lazy("Who decides about the data: it stands in every mail and welcome text."),
            "processor": gettext_lazy("The organisation that runs the server, if it is another one."),
            "privacy_contact": gettext_lazy("Name and address of the data protection officer."),
            "ethics_number": gettext_lazy("As the ethics committee gave it."),
            "dpia": gettext_lazy("For instance: carried out in May 2026, no high risk remains."),
            "works_council": gettext_lazy("For instance: informed on 3 June 2026."),
            "report_days": gettext_lazy("The leader undertakes to give teachers the report within these days."),
        }

    def __init__(self, *args: Any, studies: QuerySet[Study], promised: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        free = studies.filter(next__isnull=True) | studies.filter(next=self.instance.pk)
        previous = self.fields["previous"]
        assert isinstance(previous, forms.ModelChoiceField)
        previous.queryset = free.exclude(pk=self.instance.pk).distinct()
        previous.empty_label = _("None: this is the first wave")
        if promised:
            for name in PROMISED:
                self.fields[name].disabled = True
                self.fields[name].help_text = _("Fixed: the people who were invited read this value.")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        starts_on, ends_on = cleaned.get("starts_on"), cleaned.get("ends_on")
        if starts_on and ends_on and ends_on < starts_on:
            self.add_error("ends_on", _("The last day is before the first day."))
        previous = cleaned.get("previous")
        if previous and cleaned.get("wave") and cleaned["wave"] <= previous.wave:
            self.add_error("wave", _("The previous wave is number %(n)s: choose a higher one.") % {"n": previous.wave})
        return cleaned

    def layout(self) -> Layout:
        def half(*names: str) -> Div:
            return Div(*(Field(name, wrapper_class="col-sm-6") for name in names), css_class="row")

        return Layout(
            Fieldset(_("The study"), "title", half("wave", "previous"), half("starts_on", "ends_on"), css_class="mb-4"),
            Fieldset(_("Who to ask about it"), half("contact_name", "contact_email"), css_class="mb-4"),
            Fieldset(_("Protection of small groups"), half("k", "grace_hours"), "report_days", css_class="mb-4"),
            Fieldset(
                _("Law and trust"),
                HTML(
                    f'<p class="text-secondary">{_("Directors, leaders and teachers read these before they start.")}</p>'
                ),
                "controller",
                "joint_controllers",
                "processor",
                "legal_basis",
                "privacy_contact",
                half("ethics_number", "retention_years"),
                "dpia",
                "works_council",
            ),
        )


class AcademyForm(PlainForm):
    institution = forms.CharField(label=gettext_lazy("Institution"), max_length=160)
    name = forms.CharField(label=gettext_lazy("Academy"), max_length=160)
    sector = forms.ChoiceField(label=gettext_lazy("Sector"), choices=Sector.choices)
    director_name = forms.CharField(label=gettext_lazy("Director"), max_length=120)
    director_email = forms.EmailField(label=gettext_lazy("E-mail address of the director"))

    def __init__(self, *args: Any, academy: Academy | None = None, **kwargs: Any) -> None:
        if academy is not None:
            names = ("name", "sector", "director_name", "director_email")
            kwargs["initial"] = {name: getattr(academy, name) for name in names}
            kwargs["initial"]["institution"] = academy.institution.name
        super().__init__(*args, **kwargs)
        self.academy = academy
        if academy is not None:
            self.fields["institution"].disabled = True
        else:
            self.fields["institution"].widget.attrs["list"] = "institutions"

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if self.academy is not None:
            others = Academy.objects.filter(institution=self.academy.institution).exclude(pk=self.academy.pk)
            if others.filter(name__iexact=name).exists():
                raise forms.ValidationError(_("This institution has another academy with this name."))
        return name

    @staticmethod
    def institutions() -> QuerySet[Institution]:
        """Names to choose from while typing."""
        return Institution.objects.all()

    def data_of(self) -> AcademyData:
        return AcademyData(**self.cleaned_data)


class TeamForm(PlainForm):
    name = forms.CharField(label=gettext_lazy("Team (programme)"), max_length=160)
    form = forms.ChoiceField(label=gettext_lazy("Form of the programme"), choices=Team.Form.choices)
    leader_name = forms.CharField(label=gettext_lazy("Team leader"), max_length=120)
    leader_email = forms.EmailField(label=gettext_lazy("E-mail address of the team leader"))

    def __init__(self, *args: Any, team: Team | None = None, **kwargs: Any) -> None:
        if team is not None:
            kwargs["initial"] = {name: getattr(team, name) for name in ("name", "form", "leader_name", "leader_email")}
        super().__init__(*args, **kwargs)
        self.team = team

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if self.team is not None and cleaned.get("name"):
            others = Team.objects.filter(academy=self.team.academy_id).exclude(pk=self.team.pk)
            if others.filter(name__iexact=cleaned["name"], form=cleaned.get("form")).exists():
                self.add_error("name", _("This academy has another team with this name and form."))
        return cleaned

    def data_of(self) -> TeamData:
        return TeamData(**{name: self.cleaned_data[name] for name in ("name", "form", "leader_name", "leader_email")})


class NewTeamForm(TeamForm):
    academy = forms.ModelChoiceField(label=gettext_lazy("Academy"), queryset=Academy.objects.none())

    field_order = ["academy"]

    def __init__(self, *args: Any, study: Study, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        academy = self.fields["academy"]
        assert isinstance(academy, forms.ModelChoiceField)
        academy.queryset = Academy.objects.filter(invitations__study=study).select_related("institution")


class ResearcherForm(PlainForm):
    """Somebody to let into a study."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    email = forms.EmailField(
        label=gettext_lazy("E-mail address"),
        max_length=254,
        help_text=gettext_lazy("Who has no account yet gets one, and a mail to set a password."),
    )


class ContactsForm(forms.Form):
    """A file to look at, or the text of one that was looked at before (``content``), to apply."""

    file = forms.FileField(
        label=gettext_lazy("CSV or XLSX file"),
        required=False,
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.xlsx,.ods,.txt"}),
    )
    content = forms.CharField(required=False, widget=forms.HiddenInput, strip=False)

    table: list[list[str]]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        file = cleaned.get("file")
        if not file and not cleaned.get("content"):
            raise forms.ValidationError(_("Choose a file first."))
        try:
            if file:
                self.table = read_table(file.read(), file.name)
            else:
                self.table = read_table(cleaned["content"].encode(), "content.csv")
        except UnreadableTable as error:
            raise forms.ValidationError(str(error)) from error
        return cleaned
