"""Forms before something that cannot be undone: they validate and never save."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from teams.forms.studies import PlainForm
from teams.models import Study
from teams.text.directions import isolated


class DeleteStudyForm(PlainForm):
    title = forms.CharField(
        label=gettext_lazy("Type the name of the study"), widget=forms.TextInput(attrs={"autocomplete": "off"})
    )

    def __init__(self, *args: Any, study: Study, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.study = study
        self.fields["title"].help_text = _("“%(title)s”, exactly as written here.") % {"title": isolated(study.title)}

    def clean_title(self) -> str:
        typed: str = self.cleaned_data["title"]
        if " ".join(typed.split()) != " ".join(self.study.title.split()):
            raise forms.ValidationError(_("This is not the name of the study. Nothing was deleted."))
        return typed


class AddressForm(PlainForm):
    email = forms.EmailField(
        label=gettext_lazy("Email address of the person"),
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )


class RemovePersonForm(PlainForm):
    confirm = forms.EmailField(
        label=gettext_lazy("Type the address once more"), widget=forms.EmailInput(attrs={"autocomplete": "off"})
    )

    def __init__(self, *args: Any, address: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.address = address.lower()

    def clean_confirm(self) -> str:
        typed: str = self.cleaned_data["confirm"]
        if typed.lower() != self.address:
            raise forms.ValidationError(_("This is another address. Nobody was removed."))
        return typed
