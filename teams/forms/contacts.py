"""The form that brings contacts as a file: it checks and never saves."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from teams.base.written import Written
from teams.files.limits import UnreadableTable
from teams.files.tables import Table, read_table
from teams.forms.table_field import TableField


class ContactsForm(Written):
    """A file to look at, or the text of one that was looked at before (``content``), to apply."""

    file = TableField(label=gettext_lazy("CSV or XLSX file"), required=False)
    content = forms.CharField(required=False, widget=forms.HiddenInput, strip=False)

    table: Table

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "file" in self.errors:
            return cleaned
        if cleaned["file"]:
            self.table = cleaned["file"]
        elif not cleaned.get("content"):
            raise forms.ValidationError(_("Choose a file first."))
        else:
            try:
                self.table = read_table(cleaned["content"].encode(), "content.csv")
            except UnreadableTable as error:
                raise forms.ValidationError(str(error)) from error
        return cleaned
