"""The codebook against the content models of DDI-Codebook 2.5, as far as it uses them.

The schema itself (codebook.xsd) is in no package that can be installed, so what it says of these elements stands here, in a form
of its own: which children in which order and how often, which attributes with which values, who holds words. What the codebook
does not use is left out, and therefore refused: an element or attribute that comes new needs its rule here first.
"""

import datetime
import re
from xml.etree import ElementTree

import pytest

from analysis.exports import ddi
from surveys.models import Survey
from surveys.questionnaires.publishing import definition_of, import_questionnaire, install_shipped
from teams.models import Study
from tests.analysis import builders
from tests.groups import a_group

pytestmark = pytest.mark.django_db

ANY, MANY = (0, None), (1, None)
MAYBE, ONE = (0, 1), (1, 1)
#: Element → its children in the order of the schema, each with the fewest and the most.
CHILDREN = {
    "codeBook": {"docDscr": ANY, "stdyDscr": MANY, "fileDscr": ANY, "dataDscr": ANY, "otherMat": ANY},
    "stdyDscr": {
        "citation": MANY, "studyAuthorization": ANY, "stdyInfo": ANY, "studyDevelopment": ANY, "method": ANY, "dataAccs": ANY,
        "othrStdyMat": ANY, "notes": ANY,
    },
    "citation": {
        "titlStmt": ONE, "rspStmt": MAYBE, "prodStmt": MAYBE, "distStmt": MAYBE, "serStmt": ANY, "verStmt": ANY, "biblCit": MAYBE,
        "holdings": ANY, "notes": ANY,
    },
    "titlStmt": {"titl": ONE, "subTitl": ANY, "altTitl": ANY, "parTitl": ANY, "IDNo": ANY},
    "rspStmt": {"AuthEnty": ANY, "othId": ANY},
    "stdyInfo": {
        "studyBudget": ANY, "subject": ANY, "abstract": ANY, "sumDscr": ANY, "qualityStatement": MAYBE, "notes": ANY,
        "exPostEvaluation": ANY,
    },
    "sumDscr": {
        "timePrd": ANY, "collDate": ANY, "nation": ANY, "geogCover": ANY, "geogUnit": ANY, "geoBndBox": MAYBE, "boundPoly": MAYBE,
        "anlyUnit": ANY, "universe": ANY, "dataKind": ANY,
    },
    "dataDscr": {"varGrp": ANY, "nCubeGrp": ANY, "var": ANY, "nCube": ANY, "notes": ANY},
    "var": {
        "location": ANY, "labl": ANY, "imputation": MAYBE, "security": MAYBE, "embargo": MAYBE, "respUnit": MAYBE,
        "anlysUnit": MAYBE, "qstn": ANY, "valrng": ANY, "invalrng": ANY, "undocCod": ANY, "universe": ANY, "TotlResp": MAYBE,
        "sumStat": ANY, "txt": ANY, "stdCatgry": ANY, "catgryGrp": ANY, "catgry": ANY, "codInstr": ANY, "verStmt": ANY,
        "concept": ANY, "derivation": MAYBE, "varFormat": MAYBE, "geoMap": ANY, "catLevel": ANY, "notes": ANY,
    },
    "valrng": {"item": ANY, "range": ANY, "key": MAYBE, "notes": ANY},  # and at least one item or range
    "catgry": {"catValu": MAYBE, "labl": ANY, "txt": ANY, "catStat": ANY, "mrow": MAYBE},
    "derivation": {"drvdesc": MAYBE, "drvcmd": MAYBE},
    "range": {},
}  # fmt: skip
#: These may hold words and, in any order, children; none of which the codebook uses, but for the question's.
MIXED = dict.fromkeys(
    (
        "titl",
        "IDNo",
        "AuthEnty",
        "collDate",
        "dataKind",
        "labl",
        "qstnLit",
        "catValu",
        "concept",
        "drvdesc",
        "varFormat",
    ),
    (),
) | {"qstn": ("preQTxt", "qstnLit", "postQTxt", "forward", "backward", "ivuInstr")}
NAME, LANGUAGE = r"[A-Za-z_][\w.-]*", r"[a-zA-Z]{1,8}(-[a-zA-Z0-9]{1,8})*"
NUMBER = r"-?\d+(\.\d+)?"
#: Every element may have these.
EVERYWHERE = {"ID": NAME, "{http://www.w3.org/XML/1998/namespace}lang": LANGUAGE}
#: Element → its own attributes with the values that the schema allows (for texts: those that make sense).
ATTRIBUTES = {
    "codeBook": {"version": r"2\.5"},
    "var": {
        "name": r".+",
        "intrvl": r"contin|discrete",
        "nature": r"nominal|ordinal|interval|ratio|percent|other",
    },
    "catgry": {"missing": r"Y|N"},
    "varFormat": {"type": r"character|numeric"},
    "range": {"UNITS": r"INT|REAL", "min": NUMBER, "max": NUMBER},
    "collDate": {"date": r"\d{4}-\d\d-\d\d", "event": r"start|end|single"},
}
REQUIRED = {"var": {"name"}, "codeBook": {"version"}}

NUMBERS = """
code: numbers
languages: [nl, en]
title: {nl: "Getallen <&> “tekens”", en: Numbers}
options:
  - {value: 1, text: {nl: nooit, en: never}}
  - {value: 2, text: {nl: altijd, en: always}}
scales:
  - code: AA
    name: {nl: Één, en: One}
    items:
      - {code: AA1, text: {nl: "Meer dan < & >?", en: "More than < & >?"}}
      - {code: AA2, text: {nl: Twee, en: Two}, reverse_keyed: true}
background:
  - {code: age, type: number, minimum: -1, maximum: 99, text: {nl: Leeftijd, en: Age}}
  - {code: hours, type: number, minimum: 0, maximum: 40, decimals: true, text: {nl: Uren, en: Hours}}
  - {code: more, type: text, text: {nl: Wat nog, en: What else}}
  - {code: part, text: {nl: Deeltijd, en: Part-time}, choices: [{code: p, text: {nl: ja, en: "yes"}}, {code: f, text: {nl: nee, en: "no"}}]}
"""


def local(tag: str) -> str:
    namespace, _, name = tag[1:].partition("}")
    assert namespace == "ddi:codebook:2_5"
    return name


def faults(document: ElementTree.Element) -> list[str]:
    """What the schema would not let pass."""
    faults = []
    ids = [element.get("ID") for element in document.iter() if element.get("ID")]
    faults += [f"ID {id_} twice" for id_ in set(ids) if ids.count(id_) > 1]
    if local(document.tag) != "codeBook":
        faults.append("the root is codeBook")
    for element in document.iter():
        name = local(element.tag)
        children = [local(child.tag) for child in element]
        allowed = ATTRIBUTES.get(name, {}) | EVERYWHERE
        for attribute, value in element.attrib.items():
            if attribute not in allowed or not re.fullmatch(allowed[attribute], value):
                faults.append(f"{name} {attribute}={value}")
        faults += [f"{name} needs {attribute}" for attribute in REQUIRED.get(name, set()) - set(element.attrib)]
        if name in MIXED:
            faults += [f"{child} in {name}" for child in children if child not in MIXED[name]]
            continue
        if name not in CHILDREN:
            faults.append(f"{name} has no rule")
            continue
        if (element.text or "").strip() or any((child.tail or "").strip() for child in element):
            faults.append(f"{name} holds no words")
        faults += [f"{child} in {name}" for child in children if child not in CHILDREN[name]]
        order = list(CHILDREN[name])
        places = [order.index(child) for child in children if child in order]
        if places != sorted(places):
            faults.append(f"order in {name}: {children}")
        for child, (fewest, most) in CHILDREN[name].items():
            n = children.count(child)
            if n < fewest or (most is not None and n > most):
                faults.append(f"{n} × {child} in {name}")
        if name == "valrng" and not {"item", "range"} & set(children):
            faults.append("valrng holds an item or a range")
    return faults


def document(survey: Survey) -> ElementTree.Element:
    Survey.objects.filter(pk=survey.pk).update(background=list(definition_of(survey.version).background_codes))
    survey = Survey.objects.select_related("version", "study").get(pk=survey.pk)
    return ElementTree.fromstring(ddi.ddi_bytes(survey))


def small() -> Survey:
    return Survey.objects.select_related("version").get(study=builders.make_study())


def of_version(version) -> Survey:
    day = datetime.date(2026, 9, 1)
    study = Study.objects.create(
        group=a_group(), slug="s", title="Leren & <teams>", starts_on=day, ends_on=day, controller="Hogeschool & zn."
    )
    return Survey.objects.create(study=study, version=version)


@pytest.mark.parametrize(
    "survey",
    [
        small,
        lambda: of_version(install_shipped(a_group())[0]),
        lambda: of_version(install_shipped(a_group())[1]),
        lambda: of_version(import_questionnaire(NUMBERS, a_group())[1]),
    ],
    ids=["small", "shipped", "demo", "numbers"],
)
def test_every_codebook_follows_the_schema(survey):
    made = document(survey())
    assert faults(made) == []
    assert len(made.findall(".//{ddi:codebook:2_5}var")) > 2


@pytest.mark.parametrize(
    ("element", "change"),
    [
        ("var", lambda var: var.insert(0, var[-1])),  # the format before the label
        ("var", lambda var: var.attrib.pop("name")),
        ("var", lambda var: var.set("nature", "likert")),
        ("var", lambda var: var.set("colour", "red")),
        ("catgry", lambda catgry: catgry.append(catgry[0])),
        ("titlStmt", lambda title: title.remove(title[0])),
        ("dataDscr", lambda data: setattr(data, "text", "words")),
        ("collDate", lambda date: date.set("date", "1 September")),
        ("stdyDscr", lambda study: study.remove(study[0])),
    ],
)
def test_the_rules_find_a_fault_of_every_kind(element, change):
    made = document(small())
    change(next(made.iter(f"{{ddi:codebook:2_5}}{element}")))
    assert faults(made)


def test_every_column_of_a_file_has_its_variable_in_every_language():
    made = document(of_version(import_questionnaire(NUMBERS, a_group())[1]))
    variables = {variable.get("name"): variable for variable in made.iter("{ddi:codebook:2_5}var")}
    assert list(variables) == ["team", "set_aside", "AA1", "AA2", "age", "hours", "part"], "no open text"
    lang = "{http://www.w3.org/XML/1998/namespace}lang"
    for variable in variables.values():
        assert [label.get(lang) for label in variable.findall("{ddi:codebook:2_5}labl")] == ["nl", "en"]
    values = [value.text for value in variables["set_aside"].iter("{ddi:codebook:2_5}catValu")]
    assert values == ["not_eligible", "unanswered", "not_analysed"]
    assert [variables[code].get("nature") for code in ("AA1", "part", "age")] == ["ordinal", "nominal", None]
    span = variables["hours"].find(".//{ddi:codebook:2_5}range")
    assert span.attrib == {"UNITS": "REAL", "min": "0", "max": "40"}
    assert variables["AA1"].find(".//{ddi:codebook:2_5}qstnLit").text == "Meer dan < & >?"
