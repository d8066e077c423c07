"""The flow of a study from invited to analysed, as a diagram for a paper (after CONSORT, Schulz et al. 2010).

Boxes under one another hold who went on, boxes to the right who did not and why; drawn by analysis/svg.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analysis import svg
from analysis.data.accounting import Accounts
from analysis.templatetags.report import percent
from teams.models import Invitation

MAIN, ASIDE, GAP, MARGIN = 330, 316, 48, 16  # pixels: widths of the boxes, the room between them, the edge
LINE, PADDING = 20, 12
NO_BREAK = "\u00a0"
INDENT = 12  # of what follows a dash


@dataclass(frozen=True, slots=True)
class Stage:
    """A box of the main line, and beside the way to it who did not come so far (empty: nobody)."""

    lines: tuple[str, ...]
    aside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Box:
    """A drawn box: its corner, size and lines of text, each with how far it stands in."""

    x: int
    y: int
    width: int
    lines: tuple[tuple[int, str], ...]

    @property
    def height(self) -> int:
        return 2 * PADDING + LINE * len(self.lines)

    @property
    def middle(self) -> int:
        return self.x + self.width // 2

    @property
    def bottom(self) -> int:
        return self.y + self.height

    @property
    def centre(self) -> int:
        return self.y + self.height // 2

    def drawn(self) -> Iterator[str]:
        yield svg.box(self.x, self.y, self.width, self.height, stroke=svg.INK)
        for number, (indent, words) in enumerate(self.lines, start=1):
            yield svg.text(self.x + PADDING + indent, self.y + PADDING + LINE * number - 6, words)


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
    every = stages(accounts)
    parts: list[str] = [svg.arrow_tip(svg.INK)]
    above: Box | None = None
    y = MARGIN
    for stage in every:
        if above is not None:
            if stage.aside:
                aside = _box(MARGIN + MAIN + GAP, y + GAP // 2, ASIDE, stage.aside)
                parts += [*aside.drawn(), svg.arrow(above.middle, aside.centre, aside.x, aside.centre, svg.INK)]
                y = aside.bottom + GAP // 2
            else:
                y += GAP
        main = _box(MARGIN, y, MAIN, stage.lines)
        if above is not None:
            parts.append(svg.arrow(main.middle, above.bottom, main.middle, main.y, svg.INK))
        parts += main.drawn()
        above, y = main, main.bottom
    description = ". ".join(line for stage in every for line in (*stage.aside, *stage.lines))
    width = MARGIN + MAIN + GAP + ASIDE + MARGIN
    return svg.document(width, y + MARGIN, parts, title=title, description=description)


def _box(x: int, y: int, width: int, texts: Sequence[str]) -> Box:
    lines: list[tuple[int, str]] = []
    for words in texts:
        hanging = INDENT if words.startswith("–") else 0
        first, *rest = svg.wrapped(words, width - 2 * PADDING - hanging)
        lines += [(0, first), *((hanging, more) for more in rest)]
    return Box(x, y, width, tuple(lines))
