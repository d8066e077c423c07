"""docs/ as a site: `make docs`. The sources stand where they are read on the disk too, so links between them hold in both."""

import tomllib
from pathlib import Path

from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parent.parent
_project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

project = "Teamspiegel"
release = _project["version"]
copyright = "2026 The Teamspiegel contributors, " + _project["license"]
extensions = ["myst_parser"]
root_doc = "docs/index"
include_patterns = ["*.md", "docs/*.md", "docs/**/*.md", "analysis/psychometrics/README.md"]
exclude_patterns = [".*", "node_modules", "static", "staticfiles", "var"]

myst_heading_anchors = 4  # headings have the anchors that they have where Markdown is read as it is

html_theme = "furo"
html_title = f"Teamspiegel {release}"
html_favicon = "../static/img/icon.svg"
html_extra_path = ["site"]  # index.html, which leads to docs/index.html
html_copy_source = False
html_show_sphinx = False


def setup(app: Sphinx) -> None:
    """Kinds of blocks that stand as they are: the picture of the rooms, and lines of a file."""
    for name in ("mermaid", "csv"):
        app.add_lexer(name, TextLexer)
