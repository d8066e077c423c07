"""What a row of a file, or a form, says of an academy and of a team."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AcademyData:
    institution: str
    name: str
    sector: str
    director_name: str
    director_email: str


@dataclass(frozen=True, slots=True)
class TeamData:
    name: str
    form: str
    leader_name: str
    leader_email: str
