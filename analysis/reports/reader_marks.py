"""The marks that readers of reports see, in their words. Those of researchers stand in quality.py."""

from django.utils.translation import gettext as _


def reversed_word() -> str:
    """Beside a statement that is reverse-keyed."""
    return _("this statement counts the other way round")


def reversed_explanation() -> str:
    """What that means for its figure."""
    return _("A low figure of this statement is a high one in the subject.")
