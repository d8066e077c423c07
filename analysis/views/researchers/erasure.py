"""Researchers and administrators: deleting a study, the register of deleted studies, removing a person."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from analysis.erasure import consequences, people, studies
from analysis.forms.erasure import AddressForm, DeleteStudyForm, RemovePersonForm
from teams import access
from teams.accounts.proving import prove_first


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def study_delete(request: HttpRequest, slug: str) -> HttpResponse:
    study = access.study_for_researcher(request.user, slug)
    if proof := prove_first(request):
        return proof
    form = DeleteStudyForm(request.POST or None, study=study)
    refused = studies.refused(study)
    if request.method == "POST" and not refused and form.is_valid():
        try:
            studies.begin(study, access.signed_in(request))
        except studies.NotNow as error:  # somebody opened a collection in between
            refused = str(error)
        else:
            messages.success(request, _("The study is being deleted. Nobody can open it now."))
            return redirect("deleted_studies")
    context = {
        "study": study,
        "form": form,
        "refused": refused,
        "warnings": consequences.warnings(study),
        "goes": consequences.goes(study),
        "stays": consequences.stays(study),
    }
    return render(request, "analysis/study_delete.html", context)


@never_cache
@require_safe
def deleted_studies(request: HttpRequest) -> HttpResponse:
    """The register, with how far a deletion is; htmx asks for its lines again while one is at work."""
    deletions = list(access.deletions_of(request.user))
    page = "analysis/deleted_studies_lines.html" if request.GET.get("part") else "analysis/deleted_studies.html"
    at_work = any(deletion.done_at is None for deletion in deletions)
    return render(request, page, {"deletions": deletions, "at_work": at_work})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def person_remove(request: HttpRequest) -> HttpResponse:
    """Look for a person by address, see what goes and what stays, and remove them. The address is in no address line."""
    user = access.researcher(request.user)
    if proof := prove_first(request):
        return proof
    scope = people.scope_of(user)
    search = AddressForm(request.POST or None)
    context: dict[str, object] = {"search": search, "everywhere": scope is None}
    if request.method == "POST" and search.is_valid():
        address: str = search.cleaned_data["email"]
        confirmed = "confirm" in request.POST
        form = RemovePersonForm(request.POST if confirmed else None, address=address)
        refused = people.refused(address, user, scope)
        if confirmed and not refused and form.is_valid():
            try:
                people.remove(address, user, scope)
            except people.NotNow as error:  # somebody changed something in between
                refused = str(error)
            else:
                messages.success(
                    request, _("The person has been removed. What they did stays on record, without saying who it was.")
                )
                return redirect("person_remove")
        person = people.look(address, scope)
        context |= {"form": form, "person": person, "lines": person.in_words(), "refused": refused}
    return render(request, "analysis/person_remove.html", context)
