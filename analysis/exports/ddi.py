"""The codebook as DDI-Codebook 2.5 XML (Data Documentation Initiative), in all languages of the questionnaire."""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree import ElementTree

from django.conf import settings

from analysis.data import dataset
from analysis.exports.columns import NOT_ANALYSED, SET_ASIDE, TEAM, label_of, set_aside_values
from surveys.models import Response, Survey
from surveys.questionnaires.definition import NUMBER, TEXT
from surveys.questionnaires.publishing import definition_of
from teams.text.glyphs import without_controls

NAMESPACE = "ddi:codebook:2_5"
LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"


def ddi_bytes(survey: Survey) -> bytes:
    """The document: study, then a variable per column that a file of responses can hold."""
    ElementTree.register_namespace("", NAMESPACE)
    definition = definition_of(survey.version)
    study = survey.study
    root = _add(None, "codeBook", version="2.5")
    description = _add(root, "stdyDscr")
    citation = _add(description, "citation")
    title = _add(citation, "titlStmt")
    _add(title, "titl", study.title)
    _add(title, "IDNo", study.slug)
    if study.controller:
        _add(_add(citation, "rspStmt"), "AuthEnty", study.controller)
    information = _add(description, "stdyInfo")
    summary = _add(information, "sumDscr")
    _add(summary, "collDate", date=study.starts_on.isoformat(), event="start")
    _add(summary, "collDate", date=study.ends_on.isoformat(), event="end")
    _add(summary, "dataKind", "survey data", **{LANGUAGE: settings.SOURCE_LANGUAGE})
    data = _add(root, "dataDscr")
    languages = definition.languages
    team = _variable(data, TEAM, {language: label_of(TEAM, language) for language in languages}, nature="nominal")
    _add(team, "varFormat", type="character")
    aside = _variable(
        data, SET_ASIDE, {language: label_of(SET_ASIDE, language) for language in languages}, nature="nominal"
    )
    words = {language: set_aside_values(language) for language in languages}
    for rule in filter(None, words[languages[0]]):  # who was analysed has nothing there
        missing = "Y" if rule == NOT_ANALYSED else "N"
        _category(aside, rule, {language: words[language][rule] for language in languages}, missing)
    _add(aside, "varFormat", type="character")
    names = {scale.code: scale.name for scale in definition.scales}
    for variable in dataset.codebook_of(definition):
        element = _variable(data, variable.code, variable.text, question=variable.text, nature="ordinal")
        for value, text in variable.categories:
            _category(element, str(value), text)
        if definition.cannot_judge:
            _category(element, Response.CANNOT_JUDGE, definition.cannot_judge, missing="Y")
        for language, name in names[variable.scale].items():
            _add(element, "concept", name, **{LANGUAGE: language})
        if variable.reverse_keyed:
            _add(
                _add(element, "derivation"),
                "drvdesc",
                "reverse-keyed: stored as answered",
                **{LANGUAGE: settings.SOURCE_LANGUAGE},
            )
        _add(element, "varFormat", type="character" if definition.cannot_judge else "numeric")
    for question in definition.asked_background(survey.background):
        if question.type == TEXT:  # open answers are in no file of responses
            continue
        nature = {} if question.type == NUMBER else {"nature": "nominal"}
        element = _variable(data, question.code, question.text, question=question.text, **nature)
        if question.type == NUMBER:
            element.set("intrvl", "contin" if question.decimals else "discrete")
            bounds = {"min": str(question.minimum), "max": str(question.maximum)}
            _add(_add(element, "valrng"), "range", UNITS="REAL" if question.decimals else "INT", **bounds)
            _add(element, "varFormat", type="numeric")
            continue
        for choice in question.choices:
            _category(element, choice.code, choice.text)
        _add(element, "varFormat", type="character")
    ElementTree.indent(root)
    document: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def _variable(
    data: ElementTree.Element,
    code: str,
    label: Mapping[str, str],
    question: Mapping[str, str] | None = None,
    **attributes: str,
) -> ElementTree.Element:
    variable = _add(data, "var", ID=f"V_{code}", name=code, intrvl="discrete", **attributes)
    for language, text in label.items():
        _add(variable, "labl", text, **{LANGUAGE: language})
    for language, text in (question or {}).items():
        _add(_add(variable, "qstn", **{LANGUAGE: language}), "qstnLit", text)
    return variable


def _category(variable: ElementTree.Element, value: str, label: Mapping[str, str], missing: str = "N") -> None:
    category = _add(variable, "catgry", missing=missing)
    _add(category, "catValu", value)
    for language, text in label.items():
        _add(category, "labl", text, **{LANGUAGE: language})


def _add(
    parent: ElementTree.Element | None, tag_name: str, text: str = "", /, **attributes: str
) -> ElementTree.Element:
    tag = f"{{{NAMESPACE}}}{tag_name}"
    element = (
        ElementTree.Element(tag, attributes) if parent is None else ElementTree.SubElement(parent, tag, attributes)
    )
    if text:
        element.text = without_controls(text)
    return element
