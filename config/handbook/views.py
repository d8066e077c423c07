"""The pages of the handbook, in the reader's language. Everybody may read them: they hold nothing of a study."""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from config.handbook.reading import CHAPTERS, FOLDER, Chapter, chapter
from teams.models.languages import current_language


@login_not_required
@require_safe
def contents(request: HttpRequest) -> HttpResponse:
    """All chapters with their sections."""
    return render(request, "handbook/contents.html", {"chapters": [_read(name) for name in CHAPTERS]})


@login_not_required
@require_safe
def page(request: HttpRequest, name: str) -> HttpResponse:
    """One chapter. Raises Http404 for an audience that has none."""
    if name not in CHAPTERS:
        raise Http404
    return render(request, "handbook/chapter.html", {"chapter": _read(name)})


def _read(name: str) -> Chapter:
    return chapter(name, current_language() if (FOLDER / current_language()).is_dir() else settings.SOURCE_LANGUAGE)
