"""Forms of setting up a study: they validate and never save."""

from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import HTML, Div, Field, Fieldset, Layout
from django import forms
from django.db.models import QuerySet
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from teams.base.numbers import whole_number
from teams.base.written import Written
from teams.contacts.rows import AcademyData, TeamData
from teams.forms.address_field import AddressField
from teams.forms.filled import OPENED, Filled
from teams.models import Academy, Institution, Participation, ResearchGroup, Sector, Study, Team
from teams.studies.retention import promised_until
from teams.studies.setting_up import PROMISED
from teams.text.addresses import as_domain, is_free_mail
from teams.text.directions import isolated


class PlainForm(Written):
    """A form that a page shows as it is, field below field."""

    @property
    def helper(self) -> FormHelper:
        helper = FormHelper()
        helper.form_tag = False
        helper.layout = Layout(*([OPENED] if OPENED in self.fields else []), self.layout())
        return helper

    def layout(self) -> Layout:
        return Layout(*(name for name in self.fields if name != OPENED))


def one_of(form: forms.BaseForm, name: str, groups: QuerySet[ResearchGroup]) -> None:
    """The field of a form in which a research group is chosen; who has one group only is not asked."""
    field = form.fields[name]
    assert isinstance(field, forms.ModelChoiceField)
    field.queryset = groups
    if len(known := list(groups[:2])) == 1:
        form.initial[name], field.disabled, field.widget = known[0].pk, True, forms.HiddenInput()


def date_input() -> forms.DateInput:
    return forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})


class StudyForm(Filled, PlainForm, forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Study
        fields = [
            "group",
            "title",
            "wave",
            "previous",
            "starts_on",
            "ends_on",
            "contact_name",
            "contact_email",
            "language",
            "k",
            "grace_hours",
            "report_days",
            "slips",
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
        labels = {"group": gettext_lazy("Research group")}
        widgets = {"starts_on": date_input(), "ends_on": date_input()}
        help_texts = {
            "group": gettext_lazy(
                "The study uses the institutions, teams and questionnaires of this group. This cannot be changed later."
            ),
            "wave": gettext_lazy("1 for the first time, 2 for the second time with the same teams, and so on."),
            "previous": gettext_lazy("The study of the previous wave, to compare with."),
            "k": gettext_lazy("Results are shown only for groups of at least this many people; never fewer than 5."),
            "grace_hours": gettext_lazy(
                "Anyone who had begun before closing may finish within these hours, and closing can be undone. With "
                "0, the answers are sealed for good as soon as somebody closes, even if that is the person who leads "
                "the meeting, through the link."
            ),
            "slips": gettext_lazy(
                "The slips are printed before the meeting, and each works once. Without slips, somebody who knows "
                "the code of the meeting can answer more than once, up to the number of people present."
            ),
            "language": gettext_lazy("People with an account get emails in the language of their account."),
            "controller": gettext_lazy("Who decides about the data. It appears in every email and welcome text."),
            "processor": gettext_lazy("The organisation that runs the server, if that is a different one."),
            "privacy_contact": gettext_lazy("Name and address of the data protection officer."),
            "ethics_number": gettext_lazy("As given by the ethics committee."),
            "dpia": gettext_lazy("For instance: carried out in May 2026, no high risk remains."),
            "works_council": gettext_lazy("For instance: informed on 3 June 2026."),
            "report_days": gettext_lazy(
                "The team leader undertakes to give teachers the report within this number of days."
            ),
        }

    def __init__(
        self,
        *args: Any,
        studies: QuerySet[Study],
        groups: QuerySet[ResearchGroup] | None = None,
        promised: bool = False,
        **kwargs: Any,
    ) -> None:
        """``groups``: those in which a new study may be begun; a study that is there stays in its own."""
        super().__init__(*args, **kwargs)
        if groups is None:
            del self.fields["group"]
            studies = studies.filter(group=self.instance.group_id)
        else:
            self.nothing_there()
            one_of(self, "group", groups)
            studies = studies.filter(group__in=groups)
        free = studies.filter(next__isnull=True) | studies.filter(next=self.instance.pk)
        previous = self.fields["previous"]
        assert isinstance(previous, forms.ModelChoiceField)
        previous.queryset = free.exclude(pk=self.instance.pk).distinct()
        previous.empty_label = _("None: this is the first wave")
        if promised:
            for name in PROMISED:
                self.fields[name].disabled = True
                self.fields[name].help_text = _(
                    "This can no longer be changed: people have been invited, or results published, with this value."
                )
            self.fields["ends_on"].help_text = _(
                "People have been told that answers are kept until %(date)s: a later last day does not change that, "
                "an earlier one does."
            ) % {"date": date_format(promised_until(self.instance))}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        starts_on, ends_on = cleaned.get("starts_on"), cleaned.get("ends_on")
        if starts_on and ends_on and ends_on < starts_on:
            self.add_error("ends_on", _("The last day is before the first day: correct one of the two."))
        until = self.instance.kept_until
        if ends_on and until and ends_on > until:
            self.add_error(
                "ends_on",
                _("People have been told that answers are kept until %(date)s.") % {"date": date_format(until)},
            )
        previous = cleaned.get("previous")
        if previous and cleaned.get("group") and previous.group_id != cleaned["group"].pk:
            self.add_error("previous", _("This is a study of another research group."))
        if previous and cleaned.get("wave") and cleaned["wave"] <= previous.wave:
            self.add_error(
                "wave", _("The previous wave is number %(n)s: choose a higher number.") % {"n": previous.wave}
            )
        return cleaned

    def layout(self) -> Layout:
        before = _("Directors, team leaders and teachers read this before they start.")

        def half(*names: str) -> Div:
            return Div(*(Field(name, wrapper_class="col-sm-6") for name in names), css_class="row")

        group = ["group"] if "group" in self.fields else []
        return Layout(
            Fieldset(
                _("The study"),
                *group,
                "title",
                half("wave", "previous"),
                half("starts_on", "ends_on"),
                css_class="mb-4",
            ),
            Fieldset(
                _("Who can be asked about it"), half("contact_name", "contact_email"), "language", css_class="mb-4"
            ),
            Fieldset(
                _("Protection of small groups"), half("k", "grace_hours"), "report_days", "slips", css_class="mb-4"
            ),
            Fieldset(
                _("Law and trust"),
                HTML(format_html('<p class="text-secondary">{}</p>', before)),
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


class AcademyForm(Filled, PlainForm):
    institution = forms.CharField(label=gettext_lazy("Institution"), max_length=160)
    name = forms.CharField(label=gettext_lazy("Academy"), max_length=160)
    sector = forms.ChoiceField(label=gettext_lazy("Sector"), choices=Sector.choices)
    director_name = forms.CharField(label=gettext_lazy("Director"), max_length=120)
    director_email = AddressField(label=gettext_lazy("Email address of the director"))

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
            self.nothing_there()
            self.fields["institution"].widget.attrs["list"] = "institutions"

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if self.academy is not None:
            others = Academy.objects.filter(institution=self.academy.institution).exclude(pk=self.academy.pk)
            if others.filter(name__iexact=name).exists():
                raise forms.ValidationError(_("This institution has another academy with this name."))
        return name

    @staticmethod
    def institutions(study: Study) -> QuerySet[Institution]:
        """Names to choose from while typing: those of the study's group."""
        return Institution.objects.filter(group=study.group_id)

    def data_of(self) -> AcademyData:
        return AcademyData(**self.cleaned_data)


class TeamForm(Filled, PlainForm):
    name = forms.CharField(label=gettext_lazy("Team (programme)"), max_length=160)
    form = forms.ChoiceField(label=gettext_lazy("Form of the programme"), choices=Team.Form.choices)
    leader_name = forms.CharField(label=gettext_lazy("Team leader"), max_length=120)
    leader_email = AddressField(label=gettext_lazy("Email address of the team leader"))

    def __init__(self, *args: Any, participation: Participation | None = None, **kwargs: Any) -> None:
        self.team = participation.team if participation is not None else None
        if participation is not None:
            kwargs["initial"] = {name: getattr(participation.team, name) for name in ("name", "form")}
            kwargs["initial"] |= {name: getattr(participation, name) for name in ("leader_name", "leader_email")}
        super().__init__(*args, **kwargs)
        if participation is None:
            self.nothing_there()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if self.team is not None and cleaned.get("name"):
            others = Team.objects.filter(academy=self.team.academy_id).exclude(pk=self.team.pk)
            if others.filter(name__iexact=cleaned["name"], form=cleaned.get("form")).exists():
                self.add_error("name", _("This academy already has a team with this name and form."))
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


class MailDomainForm(PlainForm):
    """A domain in which an institution gives its people an address."""

    institution = forms.ModelChoiceField(
        label=gettext_lazy("Institution"), queryset=Institution.objects.none(), empty_label=None
    )
    domain = forms.CharField(
        label=gettext_lazy("Mail domain"),
        max_length=260,
        help_text=gettext_lazy("What comes after the @ in its people's addresses, such as school.nl."),
    )

    def __init__(self, *args: Any, study: Study, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        institution = self.fields["institution"]
        assert isinstance(institution, forms.ModelChoiceField)
        institution.queryset = Institution.objects.filter(academies__invitations__study=study).distinct()

    def clean_domain(self) -> str:
        domain = as_domain(self.cleaned_data["domain"])
        if domain is None:
            raise forms.ValidationError(_("This is not a mail domain. A mail domain looks like school.nl."))
        if is_free_mail(domain):
            raise forms.ValidationError(
                _("Anybody can get an address there: have the addresses of the teachers confirmed one by one instead.")
            )
        return domain


class ResearcherForm(PlainForm):
    """Somebody to let into a study."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    email = AddressField(
        label=gettext_lazy("Email address"),
        max_length=254,
        help_text=gettext_lazy(
            "Somebody who is not yet a member of the research group is asked by email, and becomes a researcher "
            "after saying yes."
        ),
    )


class RowsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """Rows that are ticked. A number beyond what a database counts is no choice: SQLite would fault on it."""

    def clean(self, value: Any) -> QuerySet[Any]:
        for pk in value if isinstance(value, list | tuple) else ():
            if whole_number(str(pk)) is None:
                raise forms.ValidationError(self.error_messages["invalid_pk_value"] % {"pk": str(pk)[:20]})
        chosen: QuerySet[Any] = super().clean(value)
        return chosen


class EmploymentForm(PlainForm):
    """In which academies a researcher works: at least one, or none of them."""

    academies = RowsField(
        label=gettext_lazy("I work, teach or study in"),
        queryset=Academy.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    none = forms.BooleanField(label=gettext_lazy("In none of these"), required=False)

    def __init__(self, *args: Any, academies: QuerySet[Academy], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["academies"]
        field.queryset = academies
        field.label_from_instance = lambda academy: f"{isolated(academy)} ({isolated(academy.institution)})"

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if bool(cleaned.get("academies")) == bool(cleaned.get("none")):
            self.add_error("academies", _("Tick the academies where you work, or tick “In none of these”."))
        return cleaned


class GroupForm(Filled, PlainForm):
    """A research group's name."""

    name = forms.CharField(label=gettext_lazy("Name of the research group"), max_length=160)

    def __init__(self, *args: Any, group: ResearchGroup | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs, **({"initial": {"name": group.name}, "prefix": "rename"} if group else {}))
        if group is None:
            self.nothing_there()


class MemberForm(ResearcherForm):
    """Somebody to make a member of a research group."""

    all_studies = forms.BooleanField(
        label=gettext_lazy("Works in all studies of the group, including later ones"),
        required=False,
        help_text=gettext_lazy(
            "If not ticked, members can begin studies of their own, and are added to other studies by the "
            "researchers of those."
        ),
    )
