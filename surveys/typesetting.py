"""PDFs set by Typst: tagged (PDF/UA-1), with the fonts of the site, the same pages on every machine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typst
from django.conf import settings

FONTS = settings.BASE_DIR / "static" / "vendor" / "fonts"


def typeset(template: Path, name: str, data: Mapping[str, Any]) -> bytes:
    """The template as PDF. It computes nothing: all texts and figures come as ``sys.inputs.NAME``, as JSON."""
    pdf = typst.compile(
        template,
        format="pdf",
        font_paths=[FONTS],
        ignore_system_fonts=True,
        sys_inputs={name: json.dumps(data)},
        pdf_standards=["ua-1"],
    )
    assert isinstance(pdf, bytes)
    return pdf
