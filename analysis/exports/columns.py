"""The columns that the program adds to the answers, in the words of every codebook and file."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import override

from analysis.models import ScreeningDecision

TEAM, SET_ASIDE = "team", "set_aside"
#: In ``set_aside`` of every row where no finished analysis read these answers: nobody knows yet.
NOT_ANALYSED = "not_analysed"


def label_of(column: str, language: str) -> str:
    """What the column holds."""
    with override(language):
        return {
            TEAM: _("code of the team, random per study"),
            SET_ASIDE: _("rule by which the analysis set the row aside"),
        }[column]


def set_aside_values(language: str) -> dict[str, str]:
    """What stands in ``set_aside``, and what it means; "" (analysed) first."""
    with override(language):
        return {
            "": _("analysed"),
            **{rule: str(ScreeningDecision.Rule(rule).label) for rule in ScreeningDecision.Rule.values},
            NOT_ANALYSED: _("not known: these answers were not analysed"),
        }
