"""The method section and the tables of an article, ready to paste."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import override
from django.views.decorators.http import require_safe

from analysis.results.workspace_rows import last_done
from analysis.results.write_up import write_up
from teams import access
from teams.models.languages import current_language, language_choices, language_codes


@require_safe
def write_up_page(request: HttpRequest, slug: str) -> HttpResponse:
    """Text and tables of the last finished run, in any language of the site, whatever the language of the page."""
    study = access.study_for_researcher(request.user, slug)
    run = last_done(study)
    language = request.GET.get("language", "")
    if language not in language_codes():
        language = current_language()
    written, latex = None, []
    if run is not None:
        with override(language):
            written = write_up(run)
            latex = [(table, table.latex) for table in written.tables]
    return render(
        request,
        "analysis/write_up.html",
        {
            "study": study,
            "run": run,
            "language": language,
            "languages": language_choices(),
            "paragraphs": written.paragraphs if written else (),
            "tables": latex,
        },
    )
