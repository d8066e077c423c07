"""The empty deck: wide slides, the colours of all charts (analysis/svg.py), one font, the words in the language of the report.

It is made of the deck that python-pptx brings along: what that has of another maker (a picture, settings of a printer, dates, layouts
that nobody uses) goes out. Once per process; each file begins with its bytes.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from analysis import svg
from analysis.office.still import MAKER, still
from teams.files.tables import held
from teams.models.languages import tag_of

#: Every office program has it, or another with letters of its width.
FONT = "Calibri"
WIDTH, HEIGHT = 13.333, 7.5  # inches: 16:9
MARGIN = 0.6
RIGHT = 8.55  # where the column with the question begins
BODY = 1.85  # where what stands under the title begins
ON_A_LINE = 55  # letters of a title
SUBJECT, TITLE_ONLY = "Two Content", "Title Only"  # names of layouts
_THEME = {
    "dk1": svg.INK,
    "lt1": svg.WHITE,
    "dk2": svg.ACCENT,
    "lt2": svg.LIGHT,
    "accent1": svg.ACCENT,
    "accent2": svg.WARM,
    "accent3": svg.VIOLET,
    "accent4": svg.MUTED,
    "accent5": svg.PALE_ACCENT,
    "accent6": svg.PALE_WARM,
    "hlink": svg.ACCENT,
    "folHlink": svg.VIOLET,
}
_OF_ANOTHER = ("/thumbnail", "/printerSettings")  # ends of kinds of relations


def colour(name: str) -> Any:
    """A colour of the palette (analysis/svg.py) as an office program has it."""
    from pptx.dml.color import RGBColor

    return RGBColor.from_string(name.lstrip("#").upper())


def empty_deck() -> Any:
    """A deck without slides."""
    from pptx import Presentation

    return Presentation(io.BytesIO(_empty()))


def add_slide(deck: Any, layout: str, title: str) -> Any:
    """A slide with its title; every slide has one."""
    from pptx.util import Pt

    slide = deck.slides.add_slide(deck.slide_layouts.get_by_name(layout))
    words = slide.shapes.title.text_frame
    words.text = held(title)
    if len(title) > ON_A_LINE:  # of two lines the second would stand on what is below
        words.paragraphs[0].runs[0].font.size = Pt(20)
    return slide


def write(frame: Any, lines: Sequence[str], size: float, **how: Any) -> None:
    """Paragraphs into a text frame, below those that are there.

    ``how``: `colour`, `bold`, `after` (points behind each), `bullet` (the sign before each; "1." counts them).
    """
    from pptx.util import Pt

    for line in lines:
        first = frame.paragraphs[0]
        paragraph = frame.add_paragraph() if first.runs else first
        run = paragraph.add_run()
        run.text = held(line)
        run.font.size = Pt(size)
        run.font.bold = how.get("bold", False)
        run.font.color.rgb = colour(how.get("colour", svg.INK))
        paragraph.space_after = Pt(how.get("after", 4))
        _bullet(paragraph, how.get("bullet", ""), size)


def box(slide: Any, left: float, top: float, width: float, height: float, name: str) -> Any:
    """An empty text box; its text frame."""
    from pptx.enum.text import MSO_AUTO_SIZE
    from pptx.util import Inches

    shape = slide.shapes.add_textbox(Inches(left), Inches(top), Inches(width), Inches(height))
    shape.name = name
    shape.text_frame.word_wrap, shape.text_frame.auto_size = True, MSO_AUTO_SIZE.NONE
    return shape.text_frame


def place(shape: Any, left: float, top: float, width: float, height: float) -> None:
    """Where a shape stands, in inches."""
    from pptx.util import Inches

    shape.left, shape.top, shape.width, shape.height = (Inches(length) for length in (left, top, width, height))


def saved(deck: Any, title: str, language: str) -> bytes:
    """The file: its title, its maker, its language on every word, and no time."""
    about = deck.core_properties
    about.title, about.author, about.language = held(title), MAKER, language
    about.last_modified_by = about.comments = ""
    for element in _elements(deck):
        _undated(element)
        _speak(element, tag_of(language))
    content = io.BytesIO()
    deck.save(content)
    return still(content.getvalue())


def _bullet(paragraph: Any, sign: str, size: float) -> None:
    """A sign that hangs before a paragraph; none where it is empty."""
    from pptx.oxml.ns import qn

    properties = paragraph._p.get_or_add_pPr()
    indent = int(size * 1.2 * 12700) if sign else 0
    properties.set("marL", str(indent))
    properties.set("indent", str(-indent))
    if not sign:
        properties.insert_element_before(properties.makeelement(qn("a:buNone"), {}), "a:tabLst", "a:defRPr", "a:extLst")
    elif sign == "1.":
        counted = properties.makeelement(qn("a:buAutoNum"), {"type": "arabicPeriod"})
        properties.insert_element_before(counted, "a:tabLst", "a:defRPr", "a:extLst")
    else:
        hung = properties.makeelement(qn("a:buChar"), {"char": sign})
        properties.insert_element_before(hung, "a:tabLst", "a:defRPr", "a:extLst")


def _elements(deck: Any) -> Iterator[Any]:
    """The XML of all parts with words."""
    yield deck.part._element  # the styles of text that stands nowhere yet
    for part in deck.part.package.iter_parts():
        if hasattr(part, "_element") and part is not deck.part:
            yield part._element


def _undated(element: Any) -> None:
    """A page of notes has the day on which its form was drawn: out."""
    from pptx.oxml.ns import qn

    for shape in list(element.iter(qn("p:sp"))):
        if any(holder.get("type") == "dt" for holder in shape.iter(qn("p:ph"))):
            shape.getparent().remove(shape)


def _speak(element: Any, language: str) -> None:
    """The language of each run of words: a program that reads aloud, or checks the spelling, asks for it."""
    from pptx.oxml.ns import qn

    for run in element.iter(qn("a:r"), qn("a:fld")):
        if run.find(qn("a:rPr")) is None:
            run.insert(0, run.makeelement(qn("a:rPr"), {}))
    for properties in element.iter(qn("a:rPr"), qn("a:endParaRPr"), qn("a:defRPr")):
        properties.set("lang", language)


# ------------------------------------------------------------------------------------------------ made once
@cache
def _empty() -> bytes:
    from pptx import Presentation
    from pptx.util import Inches

    deck = Presentation()
    deck.slide_width, deck.slide_height = Inches(WIDTH), Inches(HEIGHT)
    for layout in list(deck.slide_layouts):
        if layout.name not in (SUBJECT, TITLE_ONLY):
            deck.slide_layouts.remove(layout)
    for owner in (deck.part, deck.part.package):
        for key, relation in list(owner._rels.items()):
            if relation.reltype.endswith(_OF_ANOTHER):
                owner._rels.pop(key)
    _dress(deck)
    content = io.BytesIO()
    deck.save(content)
    return content.getvalue()


def _dress(deck: Any) -> None:
    """Theme, master and layouts: where a title stands, how large words are, what is at the edges."""
    from lxml import etree
    from pptx.enum.text import MSO_ANCHOR
    from pptx.opc.constants import RELATIONSHIP_TYPE
    from pptx.oxml.ns import qn

    master = deck.slide_master
    theme_part = master.part.part_related_by(RELATIONSHIP_TYPE.THEME)
    theme = etree.fromstring(theme_part.blob)
    theme.set("name", MAKER)
    scheme = theme.find(f".//{qn('a:clrScheme')}")
    for name, value in _THEME.items():
        slot = scheme.find(qn(f"a:{name}"))
        for child in list(slot):
            slot.remove(child)
        slot.append(slot.makeelement(qn("a:srgbClr"), {"val": value.lstrip("#").upper()}))
    for which in ("a:majorFont", "a:minorFont"):
        theme.find(f".//{qn(which)}/{qn('a:latin')}").set("typeface", FONT)
    theme_part._blob = etree.tostring(theme, xml_declaration=True, encoding="UTF-8", standalone=True)
    for style in master._element.iter(qn("p:titleStyle")):
        first = style.find(qn("a:lvl1pPr"))
        first.set("algn", "l")
        first.find(qn("a:defRPr")).set("sz", "3200")
        first.find(qn("a:defRPr")).set("b", "1")
    for holder in (master, *deck.slide_layouts):
        for shape in list(holder.placeholders):
            kind = shape.element.ph.get("type")
            if kind in ("dt", "ftr", "sldNum"):
                shape.element.getparent().remove(shape.element)
            elif kind == "title":
                place(shape, MARGIN, 0.4, WIDTH - 2 * MARGIN, 0.75)
                shape.text_frame.vertical_anchor = MSO_ANCHOR.BOTTOM
    place(
        next(placeholder for placeholder in master.placeholders if placeholder.element.ph.get("type") == "body"),
        MARGIN,
        BODY,
        12.1,
        4.9,
    )
    left, right = (
        placeholder
        for placeholder in deck.slide_layouts.get_by_name(SUBJECT).placeholders
        if placeholder.element.ph.get("type") != "title"
    )
    place(left, MARGIN, 5.2, RIGHT - MARGIN - 0.4, 1.7)
    place(right, RIGHT, BODY, WIDTH - RIGHT - MARGIN, 4.9)
    _edge(master)


def _edge(master: Any) -> None:
    """A strip of colour along the top, and the number of the slide; both on the master, so that nobody hears them read."""
    from lxml import etree
    from pptx.util import Inches

    namespaces = (
        'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
        'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"'
    )

    def frame(left: float, top: float, width: float, height: float) -> str:
        lengths = [int(Inches(length)) for length in (left, top, width, height)]
        return (
            '<a:xfrm><a:off x="{}" y="{}"/><a:ext cx="{}" cy="{}"/></a:xfrm>'
            '<a:prstGeom prst="rect"><a:avLst/></a:prstGeom>'
        ).format(*lengths)

    strip = (
        f'<p:sp {namespaces}><p:nvSpPr><p:cNvPr id="20" name="Strip"/><p:cNvSpPr/><p:nvPr userDrawn="1"/></p:nvSpPr><p:spPr>'
        f'{frame(0, 0, WIDTH, 0.14)}<a:solidFill><a:schemeClr val="accent1"/></a:solidFill><a:ln><a:noFill/></a:ln></p:spPr>'
        "<p:txBody><a:bodyPr/><a:lstStyle/><a:p><a:endParaRPr/></a:p></p:txBody></p:sp>"
    )
    number = (
        f'<p:sp {namespaces}><p:nvSpPr><p:cNvPr id="21" name="Number"/><p:cNvSpPr txBox="1"/><p:nvPr userDrawn="1"/></p:nvSpPr>'
        f'<p:spPr>{frame(WIDTH - MARGIN - 1, 6.98, 1, 0.32)}<a:noFill/></p:spPr><p:txBody><a:bodyPr anchor="ctr"/><a:lstStyle/>'
        '<a:p><a:pPr algn="r"/><a:fld id="{C1FF6DA9-008F-8B48-92A6-B652298478BF}" type="slidenum"><a:rPr sz="1200">'
        '<a:solidFill><a:schemeClr val="accent4"/></a:solidFill></a:rPr><a:t>‹#›</a:t></a:fld></a:p></p:txBody></p:sp>'
    )
    for xml in (strip, number):
        master.shapes._spTree.append(etree.fromstring(xml))
