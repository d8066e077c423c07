"""The field of a form for a file with a table: what is cleaned is the table."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from teams.files.limits import ON_A_PAGE, Limits, UnreadableTable
from teams.files.tables import Table, read_table


class TableField(forms.FileField):
    """A file that is read within limits; ``larger`` says what to do with one of too many bytes, where there is a way."""

    def __init__(
        self, *, limits: Limits = ON_A_PAGE, accept: str = ".csv,.txt,.xlsx,.ods", larger: Any = "", **kwargs: Any
    ) -> None:
        super().__init__(widget=forms.ClearableFileInput(attrs={"accept": accept}), **kwargs)
        self.limits, self.larger = limits, larger

    def clean(self, data: Any, initial: Any = None) -> Table | None:
        """The table; None where no file was chosen and none is needed."""
        file = super().clean(data, initial)
        if not file:
            return None
        try:
            self.limits.check_bytes(file.size)  # before all of it is in memory
        except UnreadableTable as error:
            raise ValidationError(self.larger or str(error)) from error
        try:
            return read_table(file.read(), file.name, self.limits)
        except UnreadableTable as error:
            raise ValidationError(str(error)) from error
