"""The objects of a publication (objects.py), read by every way out: page, talk, link and PDF.

What was published may have to be hidden again: a team withdrew, its counts were corrected, a leader took back that the director
sees the team. So the judge is asked whenever an object is read, with the counts of its own teams as they are now: rows of this
reader, never of all teams. Nothing is computed anew here, and names are read where they stand.

The means of the wave before are those of that wave's own object, behind the judge's word on that one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from django.db.models import Q, Subquery

from analysis import disclosure
from analysis.disclosure import Group, Reason, Withheld
from analysis.models import Publication, ReportObject
from analysis.publication.objects import STUDY, academy_key, team_key
from analysis.publication.talks import goals_beside, wave_before
from analysis.reports.groups import Counted, collections_of, group_now, scales_of
from analysis.reports.objects import AcademyReport, Benchmark, StudyReport, TeamReport
from analysis.reports.shown import (
    AcademyShown,
    Judged,
    StudyShown,
    Unit,
    UnitShown,
    WideShown,
    unpack_academy,
    unpack_study,
    unpack_unit,
)
from analysis.reports.team import Goals, Setting, write_team
from analysis.reports.wide import UnitNow, means_now, write_academy, write_study
from surveys.questionnaires.publishing import definition_of
from teams.models import Academy, Participation, Study


@dataclass(frozen=True)
class _Version:
    """A publication with some of its objects."""

    publication: Publication
    study: StudyShown
    content: Mapping[str, ReportObject]

    def unit(self, reader: str) -> UnitShown | None:
        row = self.content.get(reader)
        return unpack_unit(row.content) if row else None

    def academy(self, reader: str) -> AcademyShown | None:
        row = self.content.get(reader)
        return unpack_academy(row.content) if row else None

    @property
    def k(self) -> int:
        return self.publication.run.survey.study.k

    def judge(self, unit: Unit, group: Group | None) -> Withheld | None:
        """The judge's word on a unit of this publication, with its counts as they are now."""
        if group is None:
            return Withheld(Reason.NOT_MEASURED)
        return disclosure.judge_published(group, self.k, {unit.key} if unit.released else ())


@dataclass(frozen=True)
class _Versions:
    """The publication that readers see, and that of the wave before, if there is one."""

    now: _Version
    before: _Version | None

    @property
    def setting(self) -> Setting:
        publication, shown = self.now.publication, self.now.study
        definition = definition_of(publication.run.survey.version)
        return Setting(
            publication.run.survey.study,
            definition.options,
            scales_of(definition, {scoring.code: dict(scoring.items) for scoring in shown.scorings}),
            shown,
            publication.published_at,
            self.before.study if self.before else None,
        )


def _read(
    study: Study, readers: Sequence[str], readers_before: Sequence[str], of: Publication | None = None
) -> _Versions | None:
    """The objects of some readers, of both waves, in one query. None before the first publication, and while the objects of one
    from before objects were kept are being made."""
    last = Publication.objects.filter(study=study.pk).order_by("-pk").values("pk")[:1]
    this_publication = Q(publication=of.pk) if of else Q(publication=Subquery(last))
    wanted = this_publication & Q(reader__in=[*readers, STUDY])
    if study.previous_id is not None:
        then = Publication.objects.filter(study=study.previous_id).order_by("-pk").values("pk")[:1]
        wanted |= Q(publication=Subquery(then), reader__in=[*readers_before, STUDY])
    rows = (
        ReportObject.objects.filter(wanted)
        .select_related("publication__run__survey__version", "publication__run__survey__study")
        .defer("publication__spreads", "publication__run__counts", "publication__run__survey__version__content")
    )
    by_wave: dict[bool, dict[str, ReportObject]] = {True: {}, False: {}}
    for row in rows:
        by_wave[row.publication.study_id == study.pk][row.reader] = row
    now, before = (_version(by_wave[is_now]) for is_now in (True, False))
    return _Versions(now, before) if now else None


def _version(content: Mapping[str, ReportObject]) -> _Version | None:
    row = content.get(STUDY)
    return _Version(row.publication, unpack_study(row.content), content) if row else None


def _basis(*facts: object) -> str:
    return hashlib.sha256(json.dumps(facts, default=str).encode()).hexdigest()


def _said_of(study: Study) -> list[object]:
    """What every report says of its study."""
    return [study.title, study.starts_on, study.ends_on]


# ------------------------------------------------------------------------------------------------ a team
@dataclass(frozen=True)
class TeamNow:
    """A team's report as it may be read now.

    ``goals``: what the team wrote down after the wave before, beside which the report stands; ``agreed``: after this one.
    """

    participation: Participation
    versions: _Versions
    own: Judged | None
    before: Judged | None
    others: Sequence[str]
    goals: Goals
    agreed: Goals

    @property
    def publication(self) -> Publication:
        return self.versions.now.publication

    @property
    def setting(self) -> Setting:
        return self.versions.setting

    @property
    def reader(self) -> str:
        return team_key(self.participation.pk)

    @property
    def has_results(self) -> bool:
        """Whether it shows figures, of the team by itself or together with others."""
        return self.own is not None and self.own.withheld is None

    @cached_property
    def basis(self) -> str:
        """A fingerprint of what the report follows from beside its object: a PDF is given out only while that stands."""
        team, before = self.participation.team, self.versions.before
        return _basis(
            self.publication.pk,
            self.own is None or self.own.withheld,
            before and before.publication.pk,
            self.before is None or self.before.withheld,  # an object that is gone is not one that is shown
            [team.name, team.academy.name, team.academy.institution.name],
            _said_of(self.participation.study),
            list(self.others),
            sorted((code, goal.target, goal.next_steps, goal.looked_back) for code, goal in self.goals.items()),
        )

    def report(self, language: str, *, own_words: bool = True) -> TeamReport:
        """The report. ``own_words``: with what the team wrote down after the wave before, for the team and its leader."""
        goals = self.goals if own_words else None
        return write_team(
            self.versions.setting, self.own, self.before, self.participation, self.others, language, goals
        )


def of_team(participation: Participation, of: Publication | None = None) -> TeamNow | None:
    """A team's report as last published, or as of one publication; None where nothing is published yet."""
    reader, then = team_key(participation.pk), wave_before(participation)
    reader_then = team_key(then.pk) if then else ""
    agreed, goals = goals_beside(participation, then)
    versions = _read(participation.study, [reader], [reader_then], of)
    if versions is None:
        return None
    own = versions.now.unit(reader)
    unit_before = versions.before.unit(reader_then) if versions.before else None
    known = collections_of(
        member.participation for shown in (own, unit_before) if shown for member in shown.unit.members
    )
    return TeamNow(
        participation,
        versions,
        _judged(versions.now, own, known),
        _judged(versions.before, unit_before, known) if own and _same_teams(own, unit_before, known) else None,
        [other.team.name for other in _teams(own.unit, known) if other.pk != participation.pk] if own else [],
        goals,
        agreed,
    )


def _judged(version: _Version | None, shown: UnitShown | None, known: Mapping[int, Counted]) -> Judged | None:
    if version is None or shown is None:
        return None
    return Judged(shown, version.judge(shown.unit, group_now(shown.unit, known)))


def _teams(unit: Unit, known: Mapping[int, Counted]) -> list[Participation]:
    """The teams of a unit that are still there."""
    return [
        known[member.participation].collection.participation for member in unit.members if member.participation in known
    ]


def _same_teams(own: UnitShown, before: UnitShown | None, known: Mapping[int, Counted]) -> bool:
    """Whether a unit is made of the same teams as that of the wave before."""
    if before is None:
        return False
    now, then = ({participation.team_id for participation in _teams(shown.unit, known)} for shown in (own, before))
    return now == then


# ------------------------------------------------------------------------------------------------ several teams
@dataclass(frozen=True)
class AcademyNow:
    """A director's report as it may be read now."""

    academy: Academy
    versions: _Versions
    shown: AcademyShown
    units: Sequence[UnitNow]
    before: Sequence[WideShown] | None

    @property
    def publication(self) -> Publication:
        return self.versions.now.publication

    @property
    def reader(self) -> str:
        return academy_key(self.academy.pk)

    @cached_property
    def basis(self) -> str:
        """A fingerprint of what the report follows from beside its objects."""
        return _basis(
            self.publication.pk,
            [self.academy.name, self.academy.institution.name],
            _said_of(self.publication.run.survey.study),
            [
                [
                    unit.group.key,
                    unit.withheld,
                    unit.agreed,
                    unit.gone,
                    [[team.team.name, team.team.form] for team in unit.teams],
                ]
                for unit in self.units
            ],
            self.versions.before and self.versions.before.publication.pk,
            self.before and [str(scale) for scale in self.before],  # which of its means may be read now
        )

    def report(self, language: str) -> AcademyReport:
        """The report. Of the units that are seen by themselves the objects are read now."""
        asked = [unit for unit in self.units if unit.is_apart]
        # of several teams any one's, for that of a team that withdrew is gone
        readers = [team_key(team.pk) for unit in asked for team in unit.teams]
        rows = ReportObject.objects.filter(publication=self.publication, reader__in=readers)
        shown = (
            {unit.unit.key: unit for unit in map(unpack_unit, rows.values_list("content", flat=True))} if asked else {}
        )
        units = [replace(unit, shown=shown.get(unit.group.key)) for unit in self.units]
        return write_academy(self.versions.setting, self.shown, units, self.before, self.academy, language)


def of_academy(study: Study, academy: Academy, of: Publication | None = None) -> AcademyNow | None:
    """A director's report as last published, or as of one publication; None where nothing is published yet."""
    reader = academy_key(academy.pk)
    versions = _read(study, [reader], [reader], of)
    if versions is None:
        return None
    nothing = AcademyShown((), Withheld(Reason.FEW_TEAMS), Benchmark(0, 0, 0), False, ())
    shown = versions.now.academy(reader) or nothing
    then = versions.before.academy(reader) if versions.before else None
    known = collections_of(
        member.participation for wave in (shown, then) if wave for unit in wave.units for member in unit.members
    )
    units = _units_now(versions.now, shown, known)
    before = means_now(then, _units_now(versions.before, then, known)) if then and versions.before else None
    return AcademyNow(academy, versions, shown, units, None if isinstance(before, Withheld) else before)


def _units_now(version: _Version, shown: AcademyShown, known: Mapping[int, Counted]) -> list[UnitNow]:
    """The units of an academy with their counts as they are now; of what was deleted since, with those of then."""
    units = []
    for unit in shown.units:
        group, teams = group_now(unit, known), _teams(unit, known)
        gone = group is None or all(team.state == Participation.State.WITHDRAWN for team in teams)
        units.append(UnitNow(group or unit.as_counted, teams, version.judge(unit, group), None, gone))
    return units


@dataclass(frozen=True)
class StudyNow:
    """The report on the whole study as it may be read now."""

    versions: _Versions

    @property
    def publication(self) -> Publication:
        return self.versions.now.publication

    @property
    def reader(self) -> str:
        return STUDY

    @cached_property
    def basis(self) -> str:
        """A fingerprint of what the report follows from beside its object."""
        before = self.versions.before
        said = _said_of(self.publication.run.survey.study)
        return _basis(self.publication.pk, said, before and before.publication.pk)

    def report(self, language: str) -> StudyReport:
        """The report."""
        return write_study(self.versions.setting, language)


def of_study(study: Study, of: Publication | None = None) -> StudyNow | None:
    """The report on the whole study as last published, or as of one publication; None where nothing is published yet."""
    versions = _read(study, [], [], of)
    return StudyNow(versions) if versions else None


Now = TeamNow | AcademyNow | StudyNow


def of_reader(publication: Publication, reader: str) -> Now | None:
    """The report of a reader by its name, of one publication; None where there is no such reader any more."""
    kind, _colon, pk = reader.partition(":")
    study = publication.run.survey.study
    if kind == "team":
        teams = Participation.objects.select_related("study", "team__academy__institution")
        participation = teams.filter(pk=pk).first()
        return of_team(participation, publication) if participation else None
    if kind == "academy":
        academy = Academy.objects.select_related("institution").filter(pk=pk).first()
        return of_academy(study, academy, publication) if academy else None
    return of_study(study, publication)
