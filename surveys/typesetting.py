"""PDFs set by Typst: tagged (PDF/UA-1), with the fonts of the site, the same pages on every machine. Drawings as files too."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from teams.text.glyphs import FONTS, on_paper

#: A word that no column holds.
LONG_WORD = re.compile(r"\w{30,}")
PIECE = re.compile(r"(\w{8})(?=\w)")
NO_WIDTH = "\u200b"
DRAWING = Path(__file__).with_name("drawing.typ")
PIXELS_PER_INCH = 96.0  # of an SVG


def typeset(template: Path, name: str, data: Mapping[str, Any]) -> bytes:
    """The template as PDF. It computes nothing: all texts and figures come as ``sys.inputs.NAME``, as JSON.

    A sign that the fonts do not have would be no PDF at all: every text is made printable here, whatever it is.
    """
    import typst

    pdf = typst.compile(
        template,
        format="pdf",
        font_paths=[FONTS],
        ignore_system_fonts=True,
        sys_inputs={name: json.dumps(_on_paper(data))},
        pdf_standards=["ua-1"],
    )
    assert isinstance(pdf, bytes)
    return pdf


def picture(svg: str, form: Literal["png", "pdf"], scale: float = 1) -> bytes:
    """A drawing as a file, with the fonts of the site; ``scale``: how many dots of a PNG stand for one pixel of the drawing."""
    import typst

    made = typst.compile(
        DRAWING,
        format=form,
        font_paths=[FONTS],
        ignore_system_fonts=True,
        sys_inputs={"svg": on_paper(svg)},
        ppi=PIXELS_PER_INCH * scale,
    )
    assert isinstance(made, bytes)
    return made


def breakable(text: str) -> str:
    """A text whose longest words may break: one of 200 letters ran off the page."""
    return LONG_WORD.sub(lambda word: PIECE.sub(rf"\1{NO_WIDTH}", word[0]), text)


def _on_paper(value: Any) -> Any:
    """The same data with every text as it can be printed, also those inside pictures; pictures and addresses stay whole."""
    if isinstance(value, str):
        return on_paper(value if "<svg" in value or "://" in value else breakable(value))
    if isinstance(value, Mapping):
        return {key: _on_paper(part) for key, part in value.items()}
    return [_on_paper(part) for part in value] if isinstance(value, list | tuple) else value
