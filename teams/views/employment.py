"""Researchers: in which academies of a study they work, asked before they get rows of answers."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from teams import access
from teams.forms.studies import EmploymentForm
from teams.people import employment

View = Callable[..., HttpResponseBase]


@require_http_methods(["GET", "HEAD", "POST"])
def study_employment(request: HttpRequest, slug: str) -> HttpResponse:
    """The academies of the study, ticked where this researcher works."""
    study = access.study_for_researcher(request.user, slug)
    user = access.signed_in(request)
    academies = employment.academies_in(study)
    works_in = employment.works_in(user, study)
    form = EmploymentForm(
        request.POST if request.method == "POST" else None,
        academies=academies,
        initial={"academies": works_in, "none": employment.is_declared(user, study) and not works_in},
    )
    follow = request.POST.get("next") or request.GET.get("next") or ""
    if not follow.startswith("/") or not url_has_allowed_host_and_scheme(follow, allowed_hosts=None):
        follow = reverse("study_people", args=[slug])
    if request.method == "POST" and form.is_valid():
        employment.declare(user, study, list(form.cleaned_data["academies"]))
        messages.success(request, _("Saved."))
        return HttpResponseRedirect(follow)
    context = {"study": study, "form": form, "follow": follow, "n_academies": academies.count()}
    return render(request, "teams/study_employment.html", context)


def for_no_colleague(view: View, *, reading: bool = True) -> View:
    """A page or file with what single people of a study answered: not for who works with them, and asked of everybody.

    The view's first arguments are the request and the study's short name. Without ``reading`` only its POST is meant.
    """

    @wraps(view)
    def asked(request: HttpRequest, slug: str, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not reading and request.method in ("GET", "HEAD"):
            return view(request, slug, *args, **kwargs)
        study = access.study_for_researcher(request.user, slug)
        user = access.signed_in(request)
        if not employment.is_declared(user, study):
            back = request.path if request.method in ("GET", "HEAD") else reverse("exports", args=[slug])
            return redirect(f"{reverse('study_employment', args=[slug])}?{urlencode({'next': back})}")
        if academies := employment.works_in(user, study):
            context = {"study": study, "academies": academies}
            return render(request, "teams/for_no_colleague.html", context, status=403)
        return view(request, slug, *args, **kwargs)

    return asked
