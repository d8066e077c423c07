"""The columns of a file with contacts, the words its cells may hold, and what is wrong in them."""

from django.utils.translation import gettext as _

from teams.models import Sector, Team
from teams.text.addresses import is_address
from teams.text.directions import steering_in

# Column → the names it may have in a file, in lower case; the first is the one in the example
COLUMNS = {
    "institution": ("institution", "instelling", "hogeschool"),
    "academy": ("academy", "academie"),
    "sector": ("sector",),
    "director_name": ("director", "directeur"),
    "director_email": ("director e-mail", "e-mail directeur", "director email", "email directeur"),
    "team": ("team", "programme", "opleiding"),
    "form": ("form", "vorm"),
    "leader_name": ("team leader", "teamleider", "leader"),
    "leader_email": ("team leader e-mail", "e-mail teamleider", "leader e-mail", "leader email", "email teamleider"),
}
OPTIONAL = {"form"}
TEAM_COLUMNS = ("team", "form", "leader_name", "leader_email")
_EXAMPLE = """\
Hogeschool Voorbeeld,Academie voor Zorg,health,D. Jansen,d.jansen@voorbeeld.example,\
Verpleegkunde,full_time,L. Bos,l.bos@voorbeeld.example
Hogeschool Voorbeeld,Academie voor Zorg,health,D. Jansen,d.jansen@voorbeeld.example,\
Fysiotherapie,part_time,L. Smit,l.smit@voorbeeld.example"""
EXAMPLE = [[names[0] for names in COLUMNS.values()], *(line.split(",") for line in _EXAMPLE.splitlines())]
SECTOR_WORDS = {
    "onderwijs": Sector.EDUCATION,
    "education": Sector.EDUCATION,
    "economie": Sector.ECONOMICS,
    "economie en management": Sector.ECONOMICS,
    "economics and management": Sector.ECONOMICS,
    "gezondheidszorg": Sector.HEALTH,
    "zorg": Sector.HEALTH,
    "techniek": Sector.ENGINEERING,
    "landbouw": Sector.AGRICULTURE,
    "groen": Sector.AGRICULTURE,
    "sociale studies": Sector.SOCIAL,
    "social studies": Sector.SOCIAL,
    "sociaal": Sector.SOCIAL,
    "kunst": Sector.ARTS,
    **{value: Sector(value) for value in Sector.values},
}
FORM_WORDS = {
    "": Team.Form.FULL_TIME,
    "voltijd": Team.Form.FULL_TIME,
    "full-time": Team.Form.FULL_TIME,
    "deeltijd": Team.Form.PART_TIME,
    "part-time": Team.Form.PART_TIME,
    "duaal": Team.Form.DUAL,
    **{value: Team.Form(value) for value in Team.Form.values},
}


def columns_of(header: list[str]) -> tuple[dict[str, int], list[str]]:
    """Where each column stands, and what is wrong with the header, in sentences."""
    names = {name: column for column, names in COLUMNS.items() for name in names}
    columns: dict[str, int] = {}
    problems = []
    for at, title in enumerate(header):
        column = names.get(" ".join(title.lower().replace("_", " ").split()))
        if column is None and title:
            problems.append(_("Column “%(title)s” is not known here: rename it or leave it out.") % {"title": title})
        elif column in columns:
            problems.append(_("Column “%(title)s” appears twice.") % {"title": title})
        elif column:
            columns[column] = at
    for column in COLUMNS.keys() - columns.keys() - OPTIONAL:
        problems.append(_("Column “%(title)s” is missing.") % {"title": COLUMNS[column][0]})
    return columns, sorted(problems)


def wrong_cells(cells: dict[str, str]) -> list[str]:
    """What is wrong in the cells of one row, in sentences that name the column."""
    wrong = []
    with_team = any(cells.get(column) for column in TEAM_COLUMNS)
    for column, value in cells.items():
        title = COLUMNS[column][0]
        if not value and column not in OPTIONAL and (with_team or column not in TEAM_COLUMNS):
            wrong.append(_("“%(title)s” is empty.") % {"title": title})
        elif any(ord(character) < 32 for character in value):
            wrong.append(_("“%(title)s” contains a line break.") % {"title": title})
        elif steering := steering_in(value):
            wrong.append(f"“{title}”: {steering}")
        elif value and column.endswith("_email") and not is_address(value):
            wrong.append(_("“%(title)s” is not an email address: %(value)s") % {"title": title, "value": value})
        elif len(value) > (120 if column.endswith("_name") else 160):
            wrong.append(_("“%(title)s” is too long.") % {"title": title})
    if cells["sector"] and cells["sector"].lower() not in SECTOR_WORDS:
        wrong.append(_("Sector “%(value)s” is unknown.") % {"value": cells["sector"]})
    if cells.get("form", "").lower() not in FORM_WORDS:
        wrong.append(_("Form “%(value)s” is unknown.") % {"value": cells["form"]})
    return wrong
