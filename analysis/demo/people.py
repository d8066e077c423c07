"""Who takes part in the simulated demo study: eight invented institutions, their academies, teams and contacts.

None of the institutions or persons exists; every e-mail address ends in .example, which nobody can own (RFC 2606).
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import StrEnum


class Sector(StrEnum):
    EDUCATION = "education"
    ECONOMICS = "economics"
    HEALTH = "health"
    ENGINEERING = "engineering"
    AGRICULTURE = "agriculture"


class Form(StrEnum):
    FULL_TIME = "full_time"
    PART_TIME = "part_time"


@dataclass(frozen=True)
class Contact:
    name: str
    email: str


@dataclass(frozen=True)
class Team:
    code: str
    programme: str
    form: Form
    leader: Contact


@dataclass(frozen=True)
class Academy:
    code: str
    name: str
    sector: Sector
    director: Contact
    teams: tuple[Team, ...]


@dataclass(frozen=True)
class Institution:
    code: str
    name: str
    academies: tuple[Academy, ...]


def _contact(name: str, domain: str) -> Contact:
    """A contact whose address is the name in plain ASCII: 'Zoë van den Berg' becomes zoe.vandenberg@…"""
    # The Turkish dotless ı has no decomposition and would be dropped.
    ascii_name = unicodedata.normalize("NFKD", name.replace("ı", "i")).encode("ascii", "ignore").decode().lower()
    first, *rest = ascii_name.replace("'", "").split()
    return Contact(name, f"{first}.{''.join(rest)}@{domain}.example")


def _institution(code: str, name: str, *academies: tuple[str, str, Sector, str, tuple[str, ...]]) -> Institution:
    """An institution from its written-out academies: (code, name, sector, director, teams).

    A team is one line 'CODE | programme | leader'; a part-time programme has '(deeltijd)' after its name.
    """
    domain = name.removeprefix("Hogeschool ").removeprefix("De ").lower()
    made = []
    for academy_code, academy_name, sector, director, lines in academies:
        teams = []
        for line in lines:
            team_code, programme, leader = (part.strip() for part in line.split("|"))
            form = Form.PART_TIME if programme.endswith(" (deeltijd)") else Form.FULL_TIME
            teams.append(
                Team(f"{code}-{team_code}", programme.removesuffix(" (deeltijd)"), form, _contact(leader, domain))
            )
        made.append(Academy(f"{code}-{academy_code}", academy_name, sector, _contact(director, domain), tuple(teams)))
    return Institution(code, name, tuple(made))


INSTITUTIONS: tuple[Institution, ...] = (
    _institution(
        "EEM",
        "Hogeschool Eemstroom",
        (
            "EDU",
            "Academie voor Educatie",
            Sector.EDUCATION,
            "Marijke Terpstra",
            (
                "LBO | Leraar Basisonderwijs | Joost Kramer",
                "LBD | Leraar Basisonderwijs (deeltijd) | Fatima El Khatabi",
                "NED | Leraar Nederlands | Wieteke Bosma",
                "WIS | Leraar Wiskunde | Ravi Jagroep",
                "PED | Pedagogiek | Saskia van Rooijen",
            ),
        ),
        (
            "GEZ",
            "Academie voor Gezondheid",
            Sector.HEALTH,
            "Henk Wolthuis",
            (
                "VPK | Verpleegkunde | Anouk Dijkgraaf",
                "FYS | Fysiotherapie | Sjoerd Hoekema",
                "ERG | Ergotherapie | Mireille Pinas",
            ),
        ),
    ),
    _institution(
        "WAD",
        "Hogeschool Waddenkust",
        (
            "TEC",
            "Academie voor Techniek en Zee",
            Sector.ENGINEERING,
            "Geert Postma",
            (
                "WTB | Werktuigbouwkunde | Tjeerd Wiersma",
                "ELE | Elektrotechniek | Hatice Yıldız",
                "MAR | Maritiem Officier | Klaas Buwalda",
                "CIV | Civiele Techniek | Ilse Veenstra",
            ),
        ),
    ),
    _institution(
        "DRI",
        "Hogeschool Drielanden",
        (
            "ECO",
            "Academie voor Economie en Recht",
            Sector.ECONOMICS,
            "Monique Habets",
            (
                "ACC | Accountancy | Roger Schreurs",
                "FIN | Finance & Control | Nadia Bouzidi",
                "REC | HBO-Rechten | Patrick Lemmens",
                "LOG | Logistics Management | Danuta Kowalczyk",
                "MKT | Marketing | Sylvie Crombach",
            ),
        ),
        (
            "ZOR",
            "Academie voor Zorg",
            Sector.HEALTH,
            "Leon Hendrickx",
            (
                "VPK | Verpleegkunde | Chantal Deckers",
                "LGP | Logopedie | Femke Ramakers",
                "VED | Voeding en Diëtetiek | Noor Al-Sayed",
            ),
        ),
    ),
    _institution(
        "MAA",
        "Hogeschool Maasvallei",
        (
            "LER",
            "Academie voor Lerarenopleidingen",
            Sector.EDUCATION,
            "Carla van Gestel",
            (
                "ENG | Leraar Engels | Desmond Tjon-A-Fat",
                "GES | Leraar Geschiedenis | Bart Verhoeven",
                "LBO | Leraar Basisonderwijs | Lotte Smulders",
            ),
        ),
        (
            "TEC",
            "Academie voor Techniek en ICT",
            Sector.ENGINEERING,
            "Erik van den Boogaard",
            (
                "CHE | Chemie | Yvonne Claassen",
                "BOU | Bouwkunde | Mehmet Demirci",
                "ICT | HBO-ICT | Jurgen Swinkels",
            ),
        ),
    ),
    _institution(
        "POL",
        "Hogeschool Polderrand",
        (
            "GRO",
            "Academie voor Teelt, Dier en Natuur",
            Sector.AGRICULTURE,
            "Trijntje Zijlstra",
            (
                "TUA | Tuinbouw en Akkerbouw | Gijs Nieuwenhuis",
                "DIV | Dier- en Veehouderij | Rianne ter Horst",
                "BOS | Bos- en Natuurbeheer | Koen Wildeboer",
            ),
        ),
        (
            "VOE",
            "Academie voor Voeding en Platteland",
            Sector.AGRICULTURE,
            "Abdel Amrani",
            (
                "VMT | Voedingsmiddelentechnologie | Hanneke Brouwer",
                "PLA | Plattelandsvernieuwing | Dirk Oosterling",
            ),
        ),
    ),
    _institution(
        "ZUI",
        "Hogeschool Zuiderduin",
        (
            "ECO",
            "Academie voor Economie en Communicatie",
            Sector.ECONOMICS,
            "Frank Mulder",
            (
                "CEC | Commerciële Economie | Esther de Groot",
                "COM | Communicatie | Quincy Lieveld",
                "FAC | Facility Management | Petra Langerak",
                "TOU | Tourism Management | Vincent Hogendoorn",
            ),
        ),
    ),
    _institution(
        "VLI",
        "Hogeschool De Vlietlanden",
        (
            "MAN",
            "Academie voor Management en Ondernemen",
            Sector.ECONOMICS,
            "Shanti Ramdin",
            (
                "BED | Bedrijfskunde | Olaf Zandstra",
                "ACC | Accountancy | Jeroen Kuiper",
                "VAS | Vastgoed en Makelaardij (deeltijd) | Babette van Vliet",
                "HRM | Human Resource Management | Samira Benali",
            ),
        ),
    ),
    _institution(
        "HEI",
        "Hogeschool Heidezoom",
        (
            "ENG",
            "Academie voor Engineering",
            Sector.ENGINEERING,
            "Wim Nijboer",
            (
                "MEC | Mechatronica | Thomas Asbroek",
                "TBK | Technische Bedrijfskunde | Linh Nguyen",
                "IPO | Industrieel Product Ontwerpen | Judith Leferink",
            ),
        ),
    ),
)
