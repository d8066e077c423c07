"""Forms of looking back: the day with who gets the mail, and what became of each step. They check and never save."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.boundfield import BoundField
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analysis.looking_back.dates import LATEST, MOST_READERS
from analysis.looking_back.steps import Step
from analysis.models import LookBackStep
from analysis.publication.talks import hash_of
from teams.forms.filled import Filled
from teams.text.addresses import is_address, pasted
from teams.text.directions import isolated

NOT_YET = ("", gettext_lazy("not said yet"))


class LookBackDateForm(Filled):
    """The day to look back, and who gets the mail beside the leader."""

    on = forms.DateField(
        label=gettext_lazy("The day on which you look back"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    others = forms.CharField(
        label=gettext_lazy("Colleagues who want this email too"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2, "autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, leader: str, **kwargs: Any) -> None:
        """:param leader: the address that gets the mail anyway"""
        super().__init__(*args, **kwargs)
        self.leader = leader
        tomorrow = timezone.localdate() + timedelta(days=1)
        days = {"min": tomorrow.isoformat(), "max": (timezone.localdate() + LATEST).isoformat()}
        self.fields["on"].widget.attrs.update(days)
        self.fields["others"].help_text = _(
            "Only who asks for it: at most %(n)s email addresses, one on each line. Each gets a link of their own, with which"
            " they can write on the page too."
        ) % {"n": MOST_READERS}

    def clean_on(self) -> date:
        on: date = self.cleaned_data["on"]
        today = timezone.localdate()
        if on == self.initial.get("on"):  # a day that is past by now may stay
            return on
        if not today < on <= today + LATEST:
            raise ValidationError(
                _("Choose a day from tomorrow until %(last)s.") % {"last": date_format(today + LATEST)}
            )
        return on

    def clean_others(self) -> str:
        typed, left = pasted(self.cleaned_data["others"])
        wrong = [*left, *(address for address in typed if not is_address(address))]
        if wrong:
            raise ValidationError(
                _("There is no email address in: %(left)s. Correct it or leave it out.")
                % {"left": ", ".join(wrong[:5])}
            )
        addresses = [address for address in dict.fromkeys(typed) if address != self.leader.lower()]
        if len(addresses) > MOST_READERS:
            raise ValidationError(_("Give at most %(n)s addresses.") % {"n": MOST_READERS})
        return "\n".join(addresses)


class LookBackForm(Filled):
    """What became of each step: where it stands, and a line.

    A field that the page wrote itself before, as it does while somebody types, is its own: nobody else changed it.
    """

    def __init__(self, *args: Any, steps: Sequence[Step], page: str = "", **kwargs: Any) -> None:
        """:param page: the key of the page that sends it"""
        by = hash_of(page) if page else None
        self.steps, own = steps, set[str]()
        initial: dict[str, str] = {}
        for step in steps:
            for name, value, written_by in (
                (f"status_{step.key}", step.status, step.status_hash),
                (f"line_{step.key}", step.line, step.line_hash),
            ):
                initial[name] = value
                if written_by and written_by == by:
                    own.add(name)
        super().__init__(*args, initial=initial, **kwargs)
        self.own_words = frozenset(own)
        self.fields.update({name: field for step in steps for name, field in self._fields_of(step).items()})

    def _fields_of(self, step: Step) -> dict[str, forms.Field]:
        return {
            f"status_{step.key}": forms.ChoiceField(
                label=_("What became of “%(step)s”") % {"step": isolated(step.words)},
                required=False,
                choices=[NOT_YET, *LookBackStep.Status.choices],
                widget=forms.RadioSelect,
            ),
            f"line_{step.key}": forms.CharField(
                label=_("A line about “%(step)s”") % {"step": isolated(step.words)},
                required=False,
                max_length=300,
                widget=forms.TextInput,
            ),
        }

    def _compare(self, cleaned: dict[str, Any], before: dict[str, str]) -> None:
        # shown again, it is another page: what this one wrote is what that one begins with
        before |= {name: self._mark(name, self._now(name)) for name in self.own_words}
        super()._compare(cleaned, before)

    def clean(self) -> dict[str, Any]:
        """Nobody's words are lost in silence: those of a step that is no longer there are said back."""
        cleaned = super().clean()
        gone = [
            str(value)
            for name, value in self.data.items()
            if name.startswith(("status_", "line_")) and name not in self.fields and str(value).strip()
        ]
        if gone:
            words = [text for text in gone if text not in LookBackStep.Status.values]
            said = _(
                "A step was changed in the talk meanwhile, so what you said of it was not saved. Open this page again."
            )
            raise ValidationError(" ".join([said, *(f"“{isolated(text)}”" for text in words)]))
        return cleaned

    def said(self) -> dict[Step, dict[str, str]]:
        """What was changed, by step."""
        changed = set(self.changed_data)
        changes: dict[Step, dict[str, str]] = {}
        for step in self.steps:
            for name in ("status", "line"):
                if f"{name}_{step.key}" in changed:
                    changes.setdefault(step, {})[name] = self.cleaned_data[f"{name}_{step.key}"]
        return changes

    def rows(self) -> list[tuple[Step, BoundField, BoundField]]:
        """Each step with its two fields."""
        return [(step, self[f"status_{step.key}"], self[f"line_{step.key}"]) for step in self.steps]
