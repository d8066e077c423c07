"""Forms of the researcher's analysis pages. They check; step modules write."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crispy_forms.helper import FormHelper
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analysis.data.import_file import ColumnMap, read_map
from analysis.models import Decision
from analysis.plan.plans import ScalePlan
from teams.base.written import Written
from teams.files.limits import ANSWERS_ON_A_PAGE, UnreadableTable
from teams.forms.table_field import TableField


class DecisionForm(Written):
    """One decision with its reason; the three below ask for what each needs."""

    kind = ""
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=2000,
        help_text=gettext_lazy("What do these questions measure, apart from what the figures say? The reason is kept."),
    )

    def __init__(self, *args: Any, scales: Sequence[ScalePlan], names: dict[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.scales, self.names = tuple(scales), names
        self.helper = FormHelper()
        self.helper.form_tag = False
        self.helper.disable_csrf = True
        self.scale_choices = [("", "–")] + [
            (scale.code, f"{scale.code} · {names.get(scale.code, scale.code)}") for scale in scales
        ]
        self.item_choices: list[Any] = [("", "–")] + [
            (f"{scale.code} · {names.get(scale.code, scale.code)}", [(item, item) for item in scale.items])
            for scale in scales
        ]

    @property
    def target(self) -> str:
        return str(self.cleaned_data.get("target", ""))


class SetAsideForm(DecisionForm):
    kind = Decision.Kind.SET_ASIDE
    subject = forms.ChoiceField(label=gettext_lazy("Scale"))
    field_order = ("subject", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["subject"].choices = self.scale_choices  # type: ignore[attr-defined]


class MergeForm(DecisionForm):
    kind = Decision.Kind.MERGE
    subject = forms.ChoiceField(label=gettext_lazy("Scale whose questions move"))
    target = forms.ChoiceField(label=gettext_lazy("Scale that takes them"))  # type: ignore[assignment]
    field_order = ("subject", "target", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("subject", "target"):
            self.fields[name].choices = self.scale_choices  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if self.cleaned_data.get("subject") and self.cleaned_data.get("subject") == self.cleaned_data.get("target"):
            self.add_error("target", _("Choose another scale."))
        return cleaned


class DropForm(DecisionForm):
    kind = Decision.Kind.DROP
    subject = forms.ChoiceField(label=gettext_lazy("Question"))
    field_order = ("subject", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["subject"].choices = self.item_choices  # type: ignore[attr-defined]


DECISION_FORMS: dict[str, type[DecisionForm]] = {form.kind: form for form in (SetAsideForm, MergeForm, DropForm)}


class ImportForm(Written):
    """A file with answers, and how to read it."""

    file = TableField(
        label=gettext_lazy("File with answers"),
        help_text=gettext_lazy("CSV or XLSX, with one row for each respondent and one column for each question."),
        limits=ANSWERS_ON_A_PAGE,
        larger=gettext_lazy(
            "The file is too large for this page: ask an administrator to import it with the command import_responses."
        ),
    )
    team_column = forms.CharField(
        label=gettext_lazy("Column with the team"),
        max_length=200,
        initial="team",
        help_text=gettext_lazy("The header of that column, as it is written in the file."),
    )
    map = TableField(
        label=gettext_lazy("Mapping of columns"),
        required=False,
        help_text=gettext_lazy(
            "A CSV or XLSX file with the columns 'column' and 'code', if the headers are not the codes of the "
            "questions."
        ),
    )
    leave_out = forms.CharField(
        label=gettext_lazy("Rows to leave out"),
        required=False,
        max_length=2000,
        help_text=gettext_lazy("For instance 4, 17, 30-32. The header is row 1."),
    )
    empty_team = forms.CharField(
        label=gettext_lazy("Team of rows without one"),
        required=False,
        max_length=160,
        help_text=gettext_lazy("Leave empty if each row must name its team."),
    )
    same_teams = forms.BooleanField(
        label=gettext_lazy("A team with the same name as one in the wave before or after is taken to be that team."),
        required=False,
        initial=True,
        help_text=gettext_lazy(
            "Only then can the waves be compared. Leave it as it is if the study has only one wave."
        ),
    )
    different = forms.BooleanField(
        label=gettext_lazy("Teams whose names are nearly the same are different teams."),
        required=False,
        help_text=gettext_lazy("Check the file to see which names these are."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = FormHelper()
        self.helper.form_tag = False
        self.helper.disable_csrf = True

    def clean_map(self) -> dict[str, ColumnMap]:
        """The map; empty without a file."""
        table = self.cleaned_data["map"]
        if table is None:
            return {}
        try:
            return read_map(table)
        except UnreadableTable as error:
            raise ValidationError(str(error)) from error

    def clean_leave_out(self) -> set[int]:
        """The numbers of the rows."""
        try:
            return row_numbers(self.cleaned_data["leave_out"])
        except ValueError as error:
            raise ValidationError(_("Write row numbers with commas, for instance 4, 17, 30-32.")) from error


def row_numbers(text: str) -> set[int]:
    """The row numbers in a list such as "4,17,30-32". Raises ValueError for anything else."""
    numbers: set[int] = set()
    for part in text.replace(" ", "").split(","):
        if not part:
            continue
        first, _dash, last = part.partition("-")
        start, end = int(first), int(last or first)
        if not 0 < start <= end < start + 1_000_000:
            raise ValueError(part)
        numbers.update(range(start, end + 1))
    return numbers
