"""The base of all forms in which people change what is there: of two who change the same, neither loses anything in silence.

A form remembers what it looked like when it was opened: a hash of each field, signed, in a hidden field. What comes back is
compared with that. A field that was left alone keeps what it holds by now, also where somebody else changed it meanwhile. A
field that both changed is a conflict: both texts are shown beside each other, and whoever sent the form chooses.

The view reads the row under a lock first (`hold`); the middleware (base/once.py) makes one transaction of the request, so that
nobody changes it between the comparison and the writing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from django import forms
from django.core import signing
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest
from django.template.loader import render_to_string
from django.utils.crypto import salted_hmac
from django.utils.formats import localize
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from teams.base.written import Written

OPENED = "opened"
TAKE = "take"
SALT = "teams.filled"


@dataclass(frozen=True, slots=True)
class Conflict:
    """A field that two people changed."""

    name: str
    label: str
    mine: str
    theirs: str


def hold(request: HttpRequest, *rows: Model) -> None:
    """Before a form is compared with its rows: read them anew, and let nobody else change them until it is done."""
    if request.method != "POST":
        return
    for row in rows:
        model = type(row)
        fresh = model._base_manager.select_for_update(of=("self",), no_key=True).filter(pk=row.pk).first()
        if fresh is None:
            raise Http404("deleted meanwhile")
        for column in model._meta.concrete_fields:
            setattr(row, column.attname, getattr(fresh, column.attname))


class OpenedInput(forms.HiddenInput):
    """What the form looked like; and, where two people changed the same, both texts with the choice between them."""

    conflicts: list[Conflict]
    take: str

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        hidden = super().render(name, value, {**(attrs or {}), "id": False}, renderer)
        if not self.conflicts:
            return hidden
        shown = {"conflicts": self.conflicts, "take": self.take}
        return hidden + render_to_string("components/conflicts.html", shown)


class Filled(Written):
    """A form over something that is there. ``initial`` holds what it is now: call `hold` before making the form."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        widget = OpenedInput()
        widget.conflicts, widget.take = [], self.add_prefix(TAKE)
        self.conflicts = widget.conflicts
        self.own_words: frozenset[str] = (
            frozenset()
        )  # fields in which stands what this very page wrote: no other's change
        self.taken: list[str] = []  # fields of which what somebody else wrote meanwhile stays
        self.fields[OPENED] = forms.CharField(required=False, widget=widget, initial=self.as_it_is)

    def nothing_there(self) -> None:
        """For a form that makes something new: it has no earlier look."""
        del self.fields[OPENED]

    def as_it_is(self) -> str:
        """What the form looks like now, signed: one hash for each field."""
        return signing.dumps({name: self._mark(name, self._now(name)) for name in self._compared()}, salt=SALT)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        opened = cleaned.pop(OPENED, "")
        if opened and OPENED in self.fields:
            self._compare(cleaned, _read(opened))
        return cleaned

    def others_words(self) -> dict[str, str]:
        """What stands by now in each field that somebody else changed, as the field of the page holds it."""
        return {name: str(self._held(name) or "") for name in self.taken}

    def two_texts(self) -> SafeString:
        """What the form looked like, and both texts of what two people changed, for a page that shows them."""
        return SafeString(str(self[OPENED]))

    def changed_meanwhile(self) -> bool:
        """Whether somebody else changed anything since the page was made: for a button that asks for no field."""
        opened = self.data.get(self.add_prefix(OPENED), "")
        return bool(opened) and _read(opened) != {name: self._mark(name, self._now(name)) for name in self._compared()}

    def _compare(self, cleaned: dict[str, Any], before: dict[str, str]) -> None:
        given: Any = self.data
        data = given.copy()
        take = data.getlist(self.add_prefix(TAKE)) if hasattr(data, "getlist") else []
        for name in self._compared():
            now = self._now(name)
            current = self._mark(name, now)
            try:
                sent_mark = self._mark(name, sent := self._sent(name))
            except ValidationError:
                if name not in take and current == before.get(name):
                    continue  # wrong as it was typed: said at the field
                sent_mark = sent = ""
            if current == sent_mark or name in self.own_words:
                continue
            # what the other wrote stays; where nothing stands, a field that must be filled in is not left out by that
            if (name in take and not self._lacks(name)) or sent_mark == before.get(name):
                self.errors.pop(name, None)
                self.taken.append(name)
                self.cleaned_data[name] = cleaned[name] = now
                self._check(cleaned, name)
                self._show(data, name)
            elif current != before.get(name):
                label = str(self.fields[name].label or name)
                self.conflicts.append(Conflict(name, label, self._words(name, sent), self._words(name, now)))
            before[name] = current  # sent again, it is what was chosen
        for conflict in self.conflicts:
            self.add_error(
                conflict.name, _("Somebody else has changed this in the meantime: choose which version to keep.")
            )
        data[self.add_prefix(OPENED)] = signing.dumps(before, salt=SALT)
        self.data = data

    def _check(self, cleaned: dict[str, Any], name: str) -> None:
        """What the form itself makes of the field, once more for what is there by now."""
        checked = getattr(self, f"clean_{name}", None)
        if checked is not None:
            try:
                cleaned[name] = checked()
            except ValidationError as error:
                self.add_error(name, error)

    def _show(self, data: Any, name: str) -> None:
        """Let the page, if it is shown again, hold what is there by now."""
        field, at = self.fields[name], self.add_prefix(name)
        value = field.prepare_value(self.get_initial_for_field(field, name))
        data.pop(at, None)
        if isinstance(value, list | tuple) and hasattr(data, "setlist"):
            data.setlist(at, [str(item) for item in value])
        elif isinstance(field.widget, forms.CheckboxInput):
            data.update({at: "on"} if value else {})
        else:
            data[at] = self._held(name) or ""

    def _held(self, name: str) -> Any:
        """What is there by now, as a field of one text holds it."""
        field = self.fields[name]
        shown = field.widget.format_value(field.prepare_value(self.get_initial_for_field(field, name)))
        return shown[0] if isinstance(shown, list) and shown else shown

    # -------------------------------------------------------------------------------------------- single fields
    def _compared(self) -> list[str]:
        return [
            name
            for name, field in self.fields.items()
            if name != OPENED and not field.disabled and not isinstance(field, forms.FileField)
        ]

    def _now(self, name: str) -> Any:
        """What the field holds by now, as it would be sent; as it stands where it would not be accepted today."""
        field = self.fields[name]
        value = field.prepare_value(self.get_initial_for_field(field, name))
        try:
            return field.clean(value)
        except ValidationError:
            return value

    def _lacks(self, name: str) -> bool:
        """Whether nothing stands where something must: a reason that is asked each time, a box that nobody ticked before."""
        field = self.fields[name]
        try:
            field.clean(field.prepare_value(self.get_initial_for_field(field, name)))
        except ValidationError as error:
            return any(fault.code == "required" for fault in error.error_list)
        return False

    def _sent(self, name: str) -> Any:
        field = self.fields[name]
        return field.clean(field.widget.value_from_datadict(self.data, self.files, self.add_prefix(name)))

    def _mark(self, name: str, value: Any) -> str:
        if isinstance(self.fields[name], forms.EmailField) and isinstance(value, str):
            value = value.lower()
        text = json.dumps([type(self).__name__, self.prefix, name, _plain(value)])
        return salted_hmac(SALT, text, algorithm="sha256").hexdigest()[:20]

    def _words(self, name: str, value: Any) -> str:
        """A value as people read it."""
        field = self.fields[name]
        if isinstance(field, forms.ModelMultipleChoiceField):
            return ", ".join(sorted(str(field.label_from_instance(row)) for row in value or ())) or _("nothing")
        if isinstance(field, forms.ModelChoiceField):
            return str(field.label_from_instance(value)) if value else _("nothing")
        if isinstance(field, forms.ChoiceField):
            chosen = {str(key) for key in (value if isinstance(value, list | tuple) else [value])}
            words = [str(label) for key, label in _flat(field.choices) if str(key) in chosen]
            return ", ".join(words) or _("nothing")
        if isinstance(value, bool):
            return _("yes") if value else _("no")
        return str(localize(value)) if value not in (None, "") else _("nothing")


def _read(opened: str) -> dict[str, str]:
    """What a form looked like. Of one that cannot be read whatever differs was changed by both, for all we know."""
    try:
        return dict(signing.loads(opened, salt=SALT))
    except signing.BadSignature:
        return {}


def _flat(choices: Any) -> list[tuple[Any, Any]]:
    flat: list[tuple[Any, Any]] = []
    for key, label in choices:
        flat += list(label) if isinstance(label, list | tuple) else [(key, label)]
    return flat


def _plain(value: Any) -> Any:
    """A value as text, the same for what stands in a row and for what comes back from a page."""
    if isinstance(value, QuerySet):
        return sorted(str(pk) for pk in value.values_list("pk", flat=True))
    if isinstance(value, Model):
        return str(value.pk)
    if isinstance(value, list | tuple | set):
        return sorted(str(_plain(item)) for item in value)
    if isinstance(value, datetime):
        return value.astimezone().isoformat(timespec="minutes") if value.tzinfo else value.isoformat(timespec="minutes")
    if isinstance(value, time):
        return value.isoformat(timespec="minutes")
    if isinstance(value, date):
        return value.isoformat()
    return "" if value is None else str(value).replace("\r\n", "\n").strip()
