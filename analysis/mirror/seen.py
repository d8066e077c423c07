"""The early picture of a team as it may be read now: by its readers until the first report, and in its meeting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from analysis import disclosure
from analysis.disclosure import Reason, Withheld
from analysis.models import EarlyPicture, Unit
from analysis.publication.served import TeamNow, of_team
from analysis.publication.talks import goals_beside, wave_before
from analysis.reports.groups import collections_of, group_now, scales_of
from analysis.reports.objects import TeamReport
from analysis.reports.shown import Judged, StudyShown, unpack_study, unpack_unit
from analysis.reports.team import Goals, Setting, write_team
from surveys.models import Collection, Survey
from surveys.questionnaires.publishing import definition_of
from teams.models import Participation


@dataclass(frozen=True)
class PictureNow:
    """A team's picture, behind the judge's word on it as it is now.

    ``goals``: what the team wrote down after the wave before; ``agreed``: after this one.
    """

    participation: Participation
    picture: EarlyPicture
    setting: Setting
    own: Judged
    before: Judged | None
    others: Sequence[str]
    goals: Goals
    agreed: Goals

    @property
    def has_results(self) -> bool:
        """Whether it shows figures."""
        return self.own.withheld is None

    def report(self, language: str, *, own_words: bool = True) -> TeamReport:
        """It in words, as a report has them. ``own_words``: with what the team wrote down after the wave before."""
        goals = self.goals if own_words else None
        team = self.participation
        report = write_team(self.setting, self.own, self.before, team, self.others, language, goals)
        return replace(report, starts_on=None, ends_on=None)  # of the study, which is not over


def report_or_picture(participation: Participation) -> TeamNow | PictureNow | None:
    """What a team's readers see: its report; while no publication knows its answers its picture; None where there is neither."""
    now = of_team(participation)
    if now is None or now.own is None:
        return picture_of(participation) or now
    return now


def picture_row(participation: Participation) -> EarlyPicture | None:
    """The row of the picture that a team is in, by itself or with others; None where nobody asked for one."""
    units = Unit.objects.filter(participations=participation).values_list("pk", flat=True)
    keys = [f"team:{participation.pk}", *(f"unit:{pk}" for pk in units)]
    return EarlyPicture.objects.filter(study=participation.study_id, unit__in=keys).order_by("-pk").first()


def picture_of(participation: Participation) -> PictureNow | None:
    """A team's picture; None where there is none that was shown, and from the team's withdrawal on."""
    picture = picture_row(participation)
    if picture is None or picture.state != EarlyPicture.State.SHOWN or not picture.content:
        return None
    if participation.state != Participation.State.ACCEPTED:
        return None
    shown = unpack_unit(picture.content)
    known = collections_of(member.participation for member in shown.unit.members)
    teams = [
        known[member.participation].collection.participation
        for member in shown.unit.members
        if member.participation in known
    ]
    group, k = group_now(shown.unit, known), participation.study.k
    withheld = disclosure.judge_published(group, k, {shown.unit.key}) if group else Withheld(Reason.NOT_MEASURED)
    then = wave_before(participation)
    agreed, goals = goals_beside(participation, then)
    before, before_shown = _before(then, {team.team_id for team in teams})
    survey = Survey.objects.select_related("version").get(study=participation.study_id)
    definition, of_study = definition_of(survey.version), unpack_study(picture.setting)
    scales = scales_of(definition, {scoring.code: dict(scoring.items) for scoring in of_study.scorings})
    setting = Setting(participation.study, definition.options, scales, of_study, picture.made_at, before_shown)
    others = [team.team.name for team in teams if team.pk != participation.pk]
    return PictureNow(participation, picture, setting, Judged(shown, withheld), before, others, goals, agreed)


def _before(then: Participation | None, teams: set[int]) -> tuple[Judged | None, StudyShown | None]:
    """What was published of the wave before, if of the same teams: an own figure beside the picture, and of nobody else."""
    now = of_team(then) if then else None
    if now is None or now.own is None:
        return None, None
    members = [member.participation for member in now.own.shown.unit.members]
    same = set(Participation.objects.filter(pk__in=members).values_list("team_id", flat=True)) == teams
    return (now.own, now.versions.now.study) if same else (None, None)


def teams_waited_for(participation: Participation) -> list[str]:
    """The names of the teams with which a team is shown together, and which have not met yet."""
    waiting = Participation.objects.filter(
        units__participations=participation, state=Participation.State.ACCEPTED
    ).exclude(collection__state=Collection.State.SEALED)
    return list(waiting.order_by("team__name").values_list("team__name", flat=True).distinct())
