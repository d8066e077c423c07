"""A chapter of docs/handbook/ as HTML: the same file that is read on the disk and on the site of docs/.

What a chapter may hold is Markdown with tables, pictures and anchors; no other HTML. Files are our own, so they are read once.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath
from posixpath import normpath
from typing import TYPE_CHECKING

from django.conf import settings
from django.templatetags.static import static
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

if TYPE_CHECKING:
    from markdown_it.token import Token

FOLDER = settings.BASE_DIR / "docs" / "handbook"
#: In the order of the list beside every chapter.
CHAPTERS = ("teacher", "contact", "leader", "director", "researcher", "administrator")
_ANCHOR = re.compile(r'^<a id="([a-z-]+)"></a>\s*$')


@dataclass(frozen=True)
class Section:
    """A heading of the second level: its anchor, the same in both languages, and its text."""

    anchor: str
    title: str


@dataclass(frozen=True)
class Chapter:
    """A chapter in one language: whose it is, its title, all that stands below it, and its sections."""

    name: str
    title: str
    html: SafeString
    sections: tuple[Section, ...]


@cache
def chapter(name: str, language: str) -> Chapter:
    """The chapter of an audience. Raises FileNotFoundError where there is none, ValueError for HTML that is no anchor."""
    from markdown_it import MarkdownIt  # by who reads a chapter first

    parser = MarkdownIt("commonmark").enable("table")
    file = f"{language}/{name}.md"
    read = parser.parse((FOLDER / file).read_text(encoding="utf-8"))
    tokens: list[Token] = []
    sections: list[Section] = []
    title = waiting = ""
    for n, token in enumerate(read):
        if any(_anchor(near) for near in read[max(n - 1, 0) : n + 2]):  # a paragraph that holds nothing else
            waiting = _anchor(token) or waiting
            continue
        if token.type == "heading_open" and token.tag == "h1":
            title = _plain(read[n + 1])
        elif token.type == "heading_open" and token.tag == "h2":
            sections.append(Section(waiting, _plain(read[n + 1])))
            token.attrSet("id", waiting)
            waiting = ""
        elif token.type == "table_open":
            token.attrs = {"class": "table", "aria-label": sections[-1].title if sections else title}
        elif token.type == "html_block":
            raise ValueError(f"{file}: {token.content}")
        _lead(token.children or (), file)
        tokens.append(token)
    first = next(n for n, token in enumerate(tokens) if token.type == "heading_close") + 1
    html = parser.renderer.render(tokens[first:], parser.options, {})
    # a wide table is scrolled by itself, with the keyboard too
    html = html.replace("<table", '<div class="table-responsive position-relative" tabindex="0"><table')
    html = html.replace("</table>", "</table></div>")
    return Chapter(name, title, mark_safe(html), tuple(sections))  # noqa: S308 made from files of our own


def _anchor(token: Token) -> str:
    match = _ANCHOR.match(token.content) if token.type == "inline" else None
    return match[1] if match else ""


def _plain(inline: Token) -> str:
    return "".join(child.content for child in inline.children or ())


def _lead(children: Sequence[Token], file: str) -> None:
    """Pictures come from the static files; a link to another chapter leads to its page, to another file it names that."""
    outside = ""
    for child in children:
        if child.type == "html_inline":
            raise ValueError(f"{file}: {child.content}")
        if child.type == "image":
            picture = PurePosixPath(str(child.attrGet("src"))).name
            width, height = struct.unpack(">II", (FOLDER / "pictures" / picture).read_bytes()[16:24])  # of a PNG
            child.attrs = {"src": static(f"handbook/{picture}"), "alt": "", "width": width, "height": height}
            child.attrSet("loading", "lazy")
            child.attrSet("class", "img-fluid border")
        elif child.type == "link_open":
            outside = _led(child, file)
        elif child.type == "link_close" and outside:
            child.type, child.tag, child.nesting, child.content = "text", "", 0, f" ({outside})"
            outside = ""


def _led(link: Token, file: str) -> str:
    """Turn a link to a file; returns the path of a file that is no page here, whose link then is text."""
    path, _, anchor = str(link.attrGet("href")).partition("#")
    if not path or "://" in path or path.startswith("mailto:"):
        return ""
    if path.removesuffix(".md") in CHAPTERS:
        link.attrSet("href", reverse("handbook", args=[path.removesuffix(".md")]) + (f"#{anchor}" if anchor else ""))
        return ""
    link.type, link.tag, link.nesting, link.content = "text", "", 0, ""
    return normpath(f"docs/handbook/{file}/../{path}")
