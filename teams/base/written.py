"""The base of all forms: what people type and paste into them steers neither machines nor readers.

A text of one line ends up in the headers of mails and in other people's sentences: it is refused with signs that nobody sees
and that turn the direction of writing, so that whoever typed it knows. A longer text is kept without them: who pastes a page
from a word processor did not type them.
"""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from teams.text.directions import isolated, settled, steering_in, without_steering
from teams.text.glyphs import without_controls

#: What ends or steers a line of a machine.
BREAK = re.compile(r"[\x00-\x1f\x7f]")


def kept(text: str) -> str:
    """A text of more lines without what steers machines or readers."""
    return settled("\r\n".join(map(without_controls, text.split("\r\n"))))


def _label(row: object) -> str:
    return isolated(str(row))


class Written(forms.Form):
    """A form of people's words. What stands in a hidden field the program wrote: it is checked where it is read.

    What is chosen from is shown with names isolated: a list of choices is no page of ours.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if isinstance(field, forms.ModelChoiceField):
                field.label_from_instance = _label  # type: ignore[assignment,method-assign]  # of this form's own copy

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for name, value in list(cleaned.items()):  # add_error takes names out
            field = self.fields.get(name)
            if not isinstance(field, forms.CharField) or not isinstance(value, str) or field.widget.is_hidden:
                continue
            if isinstance(field.widget, forms.Textarea):
                wrong, text = "", kept(value)
            else:  # a name that was copied from a page of ours comes with its isolate, which ends
                wrong = _("Write this on one line.") if BREAK.search(value) else ""
                wrong = wrong or (steering_in(value) if settled(value) != value else "")
                text = without_steering(without_controls(value))
            if field.required and not text.strip():
                wrong = wrong or str(field.error_messages["required"])
            if wrong:
                self.add_error(name, wrong)
            else:
                cleaned[name] = text.lower() if isinstance(field, forms.EmailField) else text
        return cleaned
