"""The lists of addresses: numbers and domains for researchers, the addresses for administrators and who got the link."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from surveys.access import address_check_by_link
from surveys.forms.collecting import AskForm
from surveys.linking import address_lists
from surveys.linking.address_lists import AcademyList
from teams import access
from teams import links as signed_links
from teams.models import Academy, Study
from teams.views.director import link_ended


@never_cache
@require_safe
def lists(request: HttpRequest, slug: str) -> HttpResponse:
    study = access.study_for_researcher(request.user, slug)
    return _lists(request, study)


@never_cache
@require_POST
def ask(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Mail somebody of an academy the link to its list."""
    study, academy = access.academy_for_researcher(request.user, slug, pk)
    form = AskForm(request.POST, study=study, academy=academy)
    if not form.is_valid():
        return _lists(request, study, form)
    address_lists.ask(study, academy, **form.cleaned_data, by=access.signed_in(request))
    messages.success(request, _("The link is on its way. It is for this list only."))
    return redirect("address_lists", slug)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def for_administrator(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """The addresses themselves: for administrators, who are trusted with the keys of collections already."""
    user = access.signed_in(request)
    study, academy = access.academy_for_researcher(user, slug, pk)
    if not user.is_superuser:
        raise Http404
    academy_list = _list_of(study, academy)
    if request.method == "POST" and academy_list is not None:
        n = address_lists.confirm(academy_list, study, _ticked(request), by=user)
        _thank(request, n)
        return redirect("address_lists", slug)
    return render(request, "surveys/address_list.html", _context(study, academy, academy_list))


@login_not_required
@never_cache
@require_safe
def enter(request: HttpRequest, token: str) -> HttpResponse:
    """Opening the link writes nothing: the token moves into a cookie for the page of the list."""
    read = signed_links.read_token(address_lists.PURPOSE, token)
    if read is None:
        return link_ended(request)
    return signed_links.enter(address_lists.PURPOSE, token, reverse("address_list", args=[read.object_id]))


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def by_link(request: HttpRequest, check_id: int) -> HttpResponse:
    """The list, for who was asked to compare it with the institution's own."""
    try:
        check = address_check_by_link(request, check_id)
    except Http404:
        return link_ended(request)
    academy_list = _list_of(check.study, check.academy)
    if request.method == "POST" and academy_list is not None:
        n = address_lists.confirm(academy_list, check.study, _ticked(request), check=check)
        _thank(request, n)
        return redirect("address_list", check_id)
    context = _context(check.study, check.academy, academy_list)
    return render(request, "surveys/address_list.html", {**context, "check": check})


def _lists(request: HttpRequest, study: Study, wrong: AskForm | None = None) -> HttpResponse:
    lists = address_lists.lists_of(study)
    forms = [
        (listed, wrong if wrong and wrong.academy == listed.academy else AskForm(study=study, academy=listed.academy))
        for listed in lists
    ]
    return render(request, "surveys/address_lists.html", {"study": study, "lists": forms})


def _list_of(study: Study, academy: Academy) -> AcademyList | None:
    return next(iter(address_lists.lists_of(study, academy)), None)


def _ticked(request: HttpRequest) -> set[int]:
    return {int(pk) for pk in request.POST.getlist("address") if pk.isascii() and pk.isdigit() and len(pk) < 19}


def _thank(request: HttpRequest, n: int) -> None:
    messages.success(
        request,
        ngettext("Saved: %(n)s address is confirmed.", "Saved: %(n)s addresses are confirmed.", n) % {"n": n},
    )


def _context(study: Study, academy: Academy, academy_list: AcademyList | None) -> dict[str, Any]:
    return {"study": study, "academy": academy, "list": academy_list}
