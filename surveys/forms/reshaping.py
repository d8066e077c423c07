"""Forms of merging two teams and splitting one: they check; the steps write."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from surveys.reshaping.merging import Merger
from surveys.reshaping.splitting import NewTeam
from teams.forms.address_field import AddressField
from teams.forms.filled import Filled
from teams.forms.studies import PlainForm
from teams.models import Participation, Team
from teams.text.directions import isolated

SOMEBODY_ELSE = "other"
MOST = 500  # teachers of a team, as where its leader accepts


class MergeForm(Filled, PlainForm):
    """Who leads the one team, how many teachers it has, and that it cannot be undone."""

    leader = forms.ChoiceField(label=gettext_lazy("Who leads the merged team?"), widget=forms.RadioSelect)
    leader_name = forms.CharField(label=gettext_lazy("Name of somebody else"), required=False, max_length=120)
    leader_email = AddressField(label=gettext_lazy("Email address of somebody else"), required=False)
    approached = forms.IntegerField(
        label=gettext_lazy("How many teachers does the merged team have?"),
        min_value=1,
        max_value=MOST,
        help_text=gettext_lazy("Count nobody twice who is in both teams. This number replaces what the leaders said."),
    )
    sure = forms.BooleanField(label=gettext_lazy("I know that this cannot be undone."))

    def __init__(self, *args: Any, keep: Participation, gone: Participation, **kwargs: Any) -> None:
        self.leaders = {team.leader_email.lower(): team.leader_name for team in (gone, keep)}
        n_said = [team.approached for team in (keep, gone) if team.approached is not None]
        kwargs["initial"] = {"approached": sum(n_said) or None}
        super().__init__(*args, **kwargs)
        choice = self.fields["leader"]
        assert isinstance(choice, forms.ChoiceField)
        known = [(email, f"{isolated(name)} <{email}>") for email, name in reversed(self.leaders.items())]
        choice.choices = [*known, (SOMEBODY_ELSE, _("somebody else"))]
        if keep.state != Participation.State.ACCEPTED:
            del self.fields["approached"]  # its leader says it when accepting

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("leader") == SOMEBODY_ELSE:
            for name in ("leader_name", "leader_email"):
                if not cleaned.get(name) and name not in self.errors:
                    self.add_error(name, _("Fill this in for somebody else."))
        return cleaned

    def merger(self) -> Merger:
        """What was decided. Call it on a valid form."""
        leader, approached = self.cleaned_data["leader"], self.cleaned_data.get("approached")
        if leader == SOMEBODY_ELSE:
            return Merger(self.cleaned_data["leader_name"], self.cleaned_data["leader_email"], approached)
        return Merger(self.leaders[leader], leader, approached)


class SplitForm(Filled, PlainForm):
    """The new team, and how many teachers are in each of the two."""

    name = forms.CharField(label=gettext_lazy("Name of the new team (programme)"), max_length=160)
    form = forms.ChoiceField(label=gettext_lazy("Form of the programme"), choices=Team.Form.choices)
    leader_name = forms.CharField(label=gettext_lazy("Leader of the new team"), max_length=120)
    leader_email = AddressField(label=gettext_lazy("Email address of the leader of the new team"))
    approached = forms.IntegerField(
        label=gettext_lazy("Teachers in the new team"),
        min_value=1,
        max_value=MOST,
        help_text=gettext_lazy("The new leader sees this number when accepting, and can correct it."),
    )
    left = forms.IntegerField(label=gettext_lazy("Teachers left in the old team"), min_value=1, max_value=MOST)
    sure = forms.BooleanField(label=gettext_lazy("I know what stays with the old team."))

    def __init__(self, *args: Any, participation: Participation, n_teachers: int | None, **kwargs: Any) -> None:
        self.team = participation.team
        kwargs["initial"] = {"form": participation.team.form, "left": n_teachers}
        super().__init__(*args, **kwargs)
        if n_teachers is None:
            del self.fields["left"]  # its leader says it when accepting

    def clean_name(self) -> str:
        return " ".join(str(self.cleaned_data["name"]).split())

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        taken = Team.objects.filter(academy=self.team.academy_id, name__iexact=cleaned.get("name") or "")
        if taken.filter(form=cleaned.get("form")).exists():
            self.add_error("name", _("This academy already has a team with this name and form."))
        return cleaned

    def new_team(self) -> NewTeam:
        """What was decided. Call it on a valid form."""
        values = {
            name: self.cleaned_data[name] for name in ("name", "form", "leader_name", "leader_email", "approached")
        }
        return NewTeam(**values, left=self.cleaned_data.get("left"))
