"""The method section and the tables of an article, ready to paste."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language, override
from django.views.decorators.http import require_safe

from analysis.results.workspace import last_done
from analysis.results.write_up import write_up
from teams import access

LANGUAGES = {"nl": "Nederlands", "en": "English"}


@require_safe
def write_up_page(request: HttpRequest, slug: str) -> HttpResponse:
    """Text and tables of the last finished run, in Dutch or English whatever the language of the page."""
    study = access.study_for_researcher(request.user, slug)
    run = last_done(study)
    language = request.GET.get("language", "")
    if language not in LANGUAGES:
        language = (get_language() or "nl")[:2]
    found, latex = None, []
    if run is not None:
        with override(language):
            found = write_up(run)
            latex = [(table, table.latex) for table in found.tables]
    return render(
        request,
        "analysis/write_up.html",
        {
            "study": study,
            "run": run,
            "language": language,
            "languages": LANGUAGES.items(),
            "paragraphs": found.paragraphs if found else (),
            "tables": latex,
        },
    )
