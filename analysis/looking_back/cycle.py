"""The cycle of a team as a picture: from what it wants to what became of it, and what of that is written down where.

Vision, information, dialogue, action, evaluation, and with the next measurement vision again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analysis import svg
from analysis.looking_back.dates import of_team
from analysis.looking_back.steps import steps_of
from analysis.publication.talks import goals_of
from teams.models import Participation

WIDE, NARROW = 600, 280  # of the card on the team's page, on a desk and on a phone
TITLE, TYPE = 16, 14
LINE = 18
BOX, TALL = 194, 104
GAP = 24  # between two boxes, for the arrow
#: the middle of each box of the ring, in the order of the cycle
RING = ((300, 54), (501, 196), (430, 372), (170, 372), (99, 196))
#: from box to box: where an arrow begins and ends
ARROWS = (
    ((400, 62), (470, 141)),
    ((490, 251), (454, 317)),
    ((330, 372), (270, 372)),
    ((146, 317), (110, 251)),
    ((130, 141), (200, 62)),
)


@dataclass(frozen=True, slots=True)
class Station:
    """One part of the cycle. ``place``: the page where it is written down, if there is one yet."""

    name: str
    where: str
    state: str
    done: bool
    place: str = ""


def cycle_of(participation: Participation, *, has_results: bool) -> list[Station]:
    """The five parts, with how far the team is in this wave. ``has_results``: whether its report shows results."""
    steps = [step for step in steps_of(participation) if step.agreed]
    said = sum(1 for step in steps if step.status)
    n_targets = sum(1 for goal in goals_of(participation).values() if goal.target is not None)
    look_back = of_team(participation)
    talk = reverse("team_talk", args=[participation.pk]) if has_results else ""
    nothing = _("nothing yet")
    if said:
        evaluated = ngettext("%(n)s step looked at", "%(n)s steps looked at", said) % {"n": said}
    else:
        day = look_back.on if look_back else None
        evaluated = _("on %(day)s") % {"day": date_format(day)} if day else _("no day chosen yet")
    return [
        Station(
            _("Vision"),
            _("targets: in the team talk"),
            ngettext("%(n)s target", "%(n)s targets", n_targets) % {"n": n_targets} if n_targets else nothing,
            bool(n_targets),
            talk,
        ),
        Station(
            _("Information"),
            _("your answers: in the report"),
            _("the report is there") if has_results else _("no results yet"),
            has_results,
            reverse("team_report", args=[participation.pk]) if has_results else "",
        ),
        Station(
            _("Dialogue"),
            _("the team talk: spoken, not written"),
            _("begun") if n_targets or steps else _("can begin") if has_results else _("after the report"),
            bool(steps or n_targets),
            talk,
        ),
        Station(
            _("Action"),
            _("next steps: in the team talk"),
            ngettext("%(n)s step", "%(n)s steps", len(steps)) % {"n": len(steps)} if steps else nothing,
            bool(steps),
            talk,
        ),
        Station(
            _("Evaluation"),
            _("looking back: on its own page"),
            evaluated,
            bool(said),
            reverse("team_look_back", args=[participation.pk]) if has_results else "",
        ),
    ]


def drawn(stations: Sequence[Station]) -> tuple[str, str]:
    """The picture as addresses of two drawings: as a ring for a desk, as a column for a phone."""
    return svg.as_data_uri(_ring(stations)), svg.as_data_uri(_column(stations))


def _ring(stations: Sequence[Station]) -> str:
    parts = [svg.arrow_tip(svg.MUTED)]
    parts += [svg.arrow(*begin, *end, svg.MUTED) for begin, end in ARROWS]
    for number, (station, (x, y)) in enumerate(zip(stations, RING, strict=True), 1):
        parts += _box(number, station, x - BOX / 2, y - TALL / 2, BOX, TALL)
    return svg.document(WIDE, RING[2][1] + TALL / 2 + 2, parts)


def _column(stations: Sequence[Station]) -> str:
    """One below the other, and along the right side the way back to the first."""
    parts, width, y = [svg.arrow_tip(svg.MUTED)], NARROW - 26, 1.0
    middles = []
    for number, station in enumerate(stations, 1):
        tall = 54 + LINE * len(svg.wrapped(station.where, width - 24, TYPE))
        if number > 1:
            parts.append(svg.arrow(width / 2, y - GAP, width / 2, y - 1, svg.MUTED))
        parts += _box(number, station, 1, y, width, tall)
        middles.append(y + tall / 2)
        y += tall + GAP
    right = NARROW - 6
    parts.append(svg.line(width + 1, middles[-1], right, middles[-1], svg.MUTED))
    parts.append(svg.line(right, middles[-1], right, middles[0], svg.MUTED))
    parts.append(svg.arrow(right, middles[0], width + 3, middles[0], svg.MUTED))
    return svg.document(NARROW, y - GAP + 2, parts)


def _box(number: int, station: Station, x: float, y: float, width: float, tall: float) -> list[str]:
    """A part of the cycle: with a thick edge and bold words where something is written down."""
    edge, fill = (svg.ACCENT, svg.LIGHT) if station.done else (svg.MUTED, "white")
    parts = [svg.box(x, y, width, tall, fill=fill, stroke=edge)]
    if station.done:
        parts.append(svg.box(x, y, 5, tall, fill=svg.ACCENT))
    left = x + 14
    parts.append(svg.text(left, y + 22, f"{number}. {station.name}", size=TITLE, bold=True))
    lines = svg.wrapped(station.where, width - 20, TYPE)
    parts += [svg.text(left, y + 42 + LINE * n, words, size=TYPE) for n, words in enumerate(lines)]
    colour = svg.ACCENT if station.done else svg.MUTED
    parts.append(svg.text(left, y + 42 + LINE * len(lines), station.state, size=TYPE, colour=colour, bold=station.done))
    return parts
