"""The field of a form for the e-mail address of somebody who gets a part in a study."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator

from teams.text.addresses import as_address


class AddressField(forms.EmailField):
    """An address in the one way in which it is kept, so that nobody is two people by spelling it in another way."""

    def clean(self, value: Any) -> str:
        typed: str = super().clean(value)
        if not typed:
            return typed
        address = as_address(typed)
        if address is None:
            raise ValidationError(EmailValidator.message, code="invalid")
        return address
