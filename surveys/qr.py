"""The address that a code opens, and its QR code."""

from __future__ import annotations

import io

from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from surveys.models import Meeting
from teams.mail.composing import absolute


def join_url(meeting: Meeting) -> str:
    """What the QR code holds: the welcome page of this meeting."""
    return absolute(reverse("meeting_welcome", args=[meeting.code]))


def join_address() -> str:
    """What people type to enter the code, without the scheme."""
    return absolute(reverse("join")).split("://", 1)[1].rstrip("/")


def qr_svg(text: str) -> SafeString:
    """The text as a QR code: an SVG to stand in a page. Error correction M; four modules of quiet zone, as ISO 18004 asks."""
    import segno

    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(
        out, kind="svg", xmldecl=False, svgns=True, omitsize=True, border=4, light="#fff", svgclass="qr", lineclass=None
    )
    return mark_safe(out.getvalue().decode())  # noqa: S308 made here, of an address of ours
