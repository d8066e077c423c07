"""The codebook against the content models of DDI-Codebook 2.5, as far as it uses them.

The schema itself is in no package that can be installed, so its rules for these elements stand here: which children an element
may have and in which order (DDI Alliance, codebook.xsd, 2.5), which values its attributes take.
"""

import re
from xml.etree import ElementTree

import pytest

from analysis.exporting import ddi
from surveys.models import Survey
from tests.analysis import builders

pytestmark = pytest.mark.django_db

TEXT = ()  # words only
CHILDREN = {
    "codeBook": ("docDscr", "stdyDscr", "fileDscr", "dataDscr", "otherMat"),
    "stdyDscr": ("citation", "studyAuthorization", "stdyInfo", "studyDevelopment", "method", "dataAccs", "othrStdyMat"),
    "citation": ("titlStmt", "rspStmt", "prodStmt", "distStmt", "serStmt", "verStmt", "biblCit", "holdings", "notes"),
    "titlStmt": ("titl", "subTitl", "altTitl", "parTitl", "IDNo"),
    "rspStmt": ("AuthEnty", "othId"),
    "stdyInfo": ("studyBudget", "subject", "abstract", "sumDscr", "qualityStatement", "notes", "exPostEvaluation"),
    "sumDscr": ("timePrd", "collDate", "nation", "geogCover", "geogUnit", "anlyUnit", "universe", "dataKind"),
    "dataDscr": ("varGrp", "nCubeGrp", "var", "nCube", "notes"),
    "var": ["location", "labl", "imputation", "security", "embargo", "respUnit", "anlysUnit", "qstn", "valrng", "invalrng", "undocCod", "universe", "TotlResp", "sumStat", "txt", "stdCatgry", "catgryGrp", "catgry", "codInstr", "verStmt", "concept", "derivation", "varFormat", "geoMap", "catLevel", "notes"],
    "qstn": ("preQTxt", "qstnLit", "postQTxt", "forward", "backward", "ivuInstr"),
    "valrng": ("item", "range", "key", "notes"),
    "catgry": ("catValu", "labl", "txt", "catStat", "mrow"),
    "derivation": ("drvdesc", "drvcmd"),
} | dict.fromkeys(
    ("titl", "IDNo", "AuthEnty", "collDate", "dataKind", "labl", "qstnLit", "catValu", "concept", "drvdesc", "varFormat",
     "range", "txt", "universe"),
    TEXT,
)  # fmt: skip
ONCE = {"titl", "qstnLit", "catValu", "derivation", "varFormat", "titlStmt", "dataDscr", "sumDscr", "drvdesc"}
ATTRIBUTES = {
    ("var", "intrvl"): r"contin|discrete",
    ("var", "ID"): r"[A-Za-z_][\w.-]*",
    ("catgry", "missing"): r"Y|N",
    ("varFormat", "type"): r"numeric|character",
    ("collDate", "event"): r"start|end|single",
    ("collDate", "date"): r"\d{4}-\d\d-\d\d",
    ("codeBook", "version"): r"2\.5",
}


def local(tag: str) -> str:
    namespace, _, name = tag[1:].partition("}")
    assert namespace == "ddi:codebook:2_5"
    return name


@pytest.fixture
def document() -> ElementTree.Element:
    survey = Survey.objects.get(study=builders.make_study())
    Survey.objects.filter(pk=survey.pk).update(background=["years", "part"])
    survey = Survey.objects.select_related("version", "study").get(pk=survey.pk)
    return ElementTree.fromstring(ddi.ddi_bytes(survey))


def test_elements_stand_where_the_schema_has_them(document):
    assert local(document.tag) == "codeBook"
    seen = set()
    for element in document.iter():
        name = local(element.tag)
        seen.add(name)
        order = list(CHILDREN[name])
        places = [order.index(local(child.tag)) for child in element]
        assert places == sorted(places), f"order in {name}"
        children = [local(child.tag) for child in element]
        assert all(children.count(child) == 1 for child in ONCE & set(children)), f"{name}: {children}"
        if CHILDREN[name]:
            assert not (element.text or "").strip(), f"{name} holds no words"
    assert {"var", "catgry", "qstnLit", "concept"} <= seen


def test_attributes_take_the_values_of_the_schema(document):
    for element in document.iter():
        for name, value in element.attrib.items():
            allowed = ATTRIBUTES.get((local(element.tag), name))
            if allowed:
                assert re.fullmatch(allowed, value), f"{element.tag} {name}={value}"
            else:
                assert name in ("{http://www.w3.org/XML/1998/namespace}lang", "name"), name
    ids = [element.get("ID") for element in document.iter() if element.get("ID")]
    assert len(ids) == len(set(ids))
    assert len(ids) == 2 + len(builders.ITEMS) + 2, "team, set_aside, items, background"
