"""The flow of a study from invited to analysed, as a diagram for a paper (after CONSORT, Schulz et al. 2010).

Boxes under one another hold who went on, boxes to the right who did not and why. The drawing is an SVG of black lines and
texts, no scripts and no styles: it opens in any program.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analysis.data.accounting import Accounts
from analysis.templatetags.report import percent
from teams.models import Invitation

MAIN, ASIDE, GAP, MARGIN = 330, 300, 48, 16  # pixels: widths of the boxes, the room between them, the edge
LINE, PADDING = 20, 12
NO_BREAK = "\u00a0"
LETTERS = {MAIN: 41, ASIDE: 37}  # that fit in a line of a box, also in a wide font


@dataclass(frozen=True, slots=True)
class Stage:
    """A box of the main line, and beside the way to it who did not come so far (empty: nobody)."""

    lines: tuple[str, ...]
    aside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Box:
    """A drawn box: its corner, size and lines of text with the height of their baselines."""

    x: int
    y: int
    width: int
    height: int
    texts: tuple[tuple[int, str], ...]

    @property
    def middle(self) -> int:
        return self.x + self.width // 2

    @property
    def bottom(self) -> int:
        return self.y + self.height

    @property
    def centre(self) -> int:
        return self.y + self.height // 2

    @property
    def text_x(self) -> int:
        return self.x + PADDING


@dataclass(frozen=True, slots=True)
class Arrow:
    x1: int
    y1: int
    x2: int
    y2: int


def stages(accounts: Accounts) -> list[Stage]:
    """The boxes in words and counts, from the teams invited to the questionnaires analysed."""
    total = accounts.total
    invited = _("%(teams)s of %(academies)s invited") % {
        "teams": ngettext("%(n)s team", "%(n)s teams", accounts.teams_invited) % {"n": accounts.teams_invited},
        "academies": ngettext("%(n)s academy", "%(n)s academies", accounts.academies_invited)
        % {"n": accounts.academies_invited},
    }
    taking_part = _counted(_("Teams taking part"), accounts.teams_participating, accounts.team_participation)
    returned = _counted(_("Questionnaires returned"), total.returned, total.return_rate)
    analysed = _counted(_("Questionnaires analysed"), total.analysed, total.usable_rate)
    asked = [_counted(_("Teachers approached"), total.approached)]
    if total.not_accounted_for:
        asked.append(_counted(_("answered, but not counted beforehand"), total.not_accounted_for))
    return [
        Stage((invited,)),
        Stage((taking_part,), tuple(_teams_lost(accounts))),
        Stage(tuple(asked)),
        Stage(
            (returned,),
            _losses(
                _("Not returned"),
                [
                    (_("refused"), total.refused),
                    (_("no answer"), total.not_returned),
                    (_("not analysed yet"), total.pending),
                ],
            ),
        ),
        Stage(
            (analysed,),
            _losses(
                _("Set aside"),
                [
                    (_("ineligible"), total.not_eligible),
                    (_("too many questions unanswered"), total.screened_out),
                ],
            ),
        ),
    ]


def _teams_lost(accounts: Accounts) -> Iterator[str]:
    lost = accounts.teams_invited - accounts.teams_participating
    if not lost:
        return
    yield _counted(_("Teams not taking part"), lost)
    reasons = dict(Invitation.Reason.choices)
    for code, n in sorted(accounts.declined_reasons.items(), key=lambda item: -item[1]):
        yield "– " + _counted(str(reasons.get(code, code)), n)
    for words, n in ((_("withdrawn later"), accounts.teams_withdrawn), (_("no answer"), accounts.teams_waiting)):
        if n:
            yield "– " + _counted(words, n)


def _losses(title: str, parts: Sequence[tuple[str, int]]) -> tuple[str, ...]:
    some = [(words, n) for words, n in parts if n]
    if not some:
        return ()
    return (_counted(title, sum(n for _words, n in some)), *("– " + _counted(words, n) for words, n in some))


def _counted(words: str, n: int, share: float | None = None) -> str:
    figures = f"(n = {n})" if share is None else f"(n = {n}; {percent(share, 1)})"
    return f"{words} {figures.replace(' ', NO_BREAK)}"


def draw(accounts: Accounts, title: str) -> str:
    """The diagram as the text of an SVG file."""
    found = stages(accounts)
    boxes: list[Box] = []
    arrows: list[Arrow] = []
    above: Box | None = None
    y = MARGIN
    for stage in found:
        if above is not None:
            if stage.aside:
                aside = _box(MARGIN + MAIN + GAP, y + GAP // 2, ASIDE, stage.aside)
                boxes.append(aside)
                arrows.append(Arrow(above.middle, aside.centre, aside.x, aside.centre))
                y = aside.bottom + GAP // 2
            else:
                y += GAP
        main = _box(MARGIN, y, MAIN, stage.lines)
        if above is not None:
            arrows.append(Arrow(main.middle, above.bottom, main.middle, main.y))
        boxes.append(main)
        above, y = main, main.bottom
    context = {
        "title": title,
        "words": ". ".join(line for stage in found for line in (*stage.aside, *stage.lines)),
        "width": MARGIN + MAIN + GAP + ASIDE + MARGIN,
        "height": y + MARGIN,
        "boxes": boxes,
        "arrows": arrows,
    }
    return render_to_string("analysis/flow.svg", context)


def _box(x: int, y: int, width: int, lines: Sequence[str]) -> Box:
    wrapped: list[str] = []
    for line in lines:
        wrapped += textwrap.wrap(line, LETTERS[width], subsequent_indent="   " if line.startswith("–") else "")
    texts = tuple((y + PADDING + LINE * (number + 1) - 6, text) for number, text in enumerate(wrapped))
    return Box(x, y, width, 2 * PADDING + LINE * len(wrapped), texts)
