"""Forms of the leader's pages. They check; step modules write."""

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

MOST_ADDRESSES = 500


class AddressesForm(forms.Form):
    """A pasted list of e-mail addresses: one a line, or with commas or semicolons between them."""

    addresses = forms.CharField(
        label=gettext_lazy("E-mail addresses of the teachers"),
        widget=forms.Textarea(attrs={"rows": 6, "autocomplete": "off", "spellcheck": "false"}),
        help_text=gettext_lazy("One on each line. You may also paste a list with commas or semicolons."),
        max_length=50_000,
    )

    def clean_addresses(self) -> list[str]:
        """The addresses in lower case, each once, in the order given; every wrong one is named."""
        text = self.cleaned_data["addresses"]
        words = [word.strip("<>\"'") for line in text.replace(";", ",").splitlines() for word in line.split(",")]
        # "Jan de Vries <jan@school.example>" as mail programs copy it: the address is the last word
        addresses = [word.split()[-1].strip("<>").lower() for word in words if word.strip()]
        wrong = []
        for address in addresses:
            try:
                validate_email(address)
            except ValidationError:
                wrong.append(address)
        if wrong:
            raise ValidationError(_("These are not e-mail addresses: %(wrong)s") % {"wrong": ", ".join(wrong[:10])})
        if len(addresses) > MOST_ADDRESSES:
            raise ValidationError(_("Paste at most %(n)s addresses at a time.") % {"n": MOST_ADDRESSES})
        return list(dict.fromkeys(addresses))
