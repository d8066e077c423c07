"""The objects of a publication: made once, in the transaction that publishes, for every team, every academy and the study.

Read by served.py, behind the judge. What is not here was not published.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.db import transaction

from analysis.models import Publication, ReportObject
from analysis.reports.material import Material, read_material
from analysis.reports.shown import SCHEMA, pack
from teams.models import Participation

STUDY = "study"
BATCH = 500


def team_key(participation_id: int) -> str:
    """The reader's name of a team."""
    return f"team:{participation_id}"


def academy_key(academy_id: int) -> str:
    """The reader's name of an academy's director."""
    return f"academy:{academy_id}"


def objects_of(material: Material) -> Iterator[ReportObject]:
    """Every object of a publication that has no row yet. A team that withdrew since has none."""
    for group in material.groups:
        content = pack(material.unit_shown(group))
        for team in group.teams:
            if team.participation.state != Participation.State.WITHDRAWN:
                yield ReportObject(reader=team_key(team.participation.pk), schema=SCHEMA, content=content)
    for academy in material.academies:
        content = pack(material.academy_shown(academy))
        yield ReportObject(reader=academy_key(academy), schema=SCHEMA, content=content)
    yield ReportObject(reader=STUDY, schema=SCHEMA, content=pack(material.study_shown))


def keep_objects(publication: Publication, made: Iterable[ReportObject]) -> None:
    """Store the objects of a publication, in the transaction that publishes; those that are there stay as they are."""
    rows = []
    for row in made:
        row.publication = publication
        rows.append(row)
    ReportObject.objects.bulk_create(rows, batch_size=BATCH, ignore_conflicts=True)


def without_objects(publications: Iterable[Publication]) -> list[Publication]:
    """Those published before objects were kept."""
    publications = list(publications)
    there = ReportObject.objects.filter(publication__in=publications, reader=STUDY).values_list(
        "publication_id", flat=True
    )
    known = set(there)
    return [publication for publication in publications if publication.pk not in known]


def make_missing(publication: Publication) -> bool:
    """Make the objects of a publication that was published before objects were kept. Whether there was something to do."""
    if not without_objects([publication]):
        return False
    made = list(objects_of(read_material(publication.run)))
    with transaction.atomic():  # a team that withdraws now waits; one that did meanwhile has nothing here
        teams = Participation.objects.select_for_update(no_key=True).filter(study=publication.study_id).order_by("pk")
        gone = {team_key(team.pk) for team in teams if team.state == Participation.State.WITHDRAWN}
        keep_objects(publication, (row for row in made if row.reader not in gone))
    return True
