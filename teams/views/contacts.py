"""Researchers: academies, teams and contacts from a file, looked at before anything is written."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from teams import access
from teams.contacts import cells, contacts
from teams.files.tables import write_csv
from teams.forms.contacts import ContactsForm
from teams.views.setup import warn_of_boxes


@require_http_methods(["GET", "HEAD", "POST"])
def contacts_import(request: HttpRequest, slug: str) -> HttpResponse:
    """First POST: a file, shown row by row. Second POST: the text of that file, judged again and applied."""
    study = access.study_for_researcher(request.user, slug)
    form = ContactsForm(request.POST, request.FILES) if request.method == "POST" else ContactsForm()
    context = {"study": study, "form": form, "columns": cells.EXAMPLE[0], "example": cells.EXAMPLE[1:]}
    if request.method == "POST" and form.is_valid():
        if "apply" in request.POST:
            applied = contacts.apply(study, form.table, access.signed_in(request), request.POST.dict())
            if applied.applied:
                messages.success(request, _("Rows added: %(new)s; rows changed: %(changed)s.") % applied.counts)
                warn_of_boxes(request, applied.names())
                return redirect("teams", slug)
            context["preview"] = applied
        else:
            context["preview"] = contacts.preview(study, form.table, access.signed_in(request))
        context["content"] = write_csv(form.table.lines)
        context["titles"] = cells.COLUMNS
    return render(request, "teams/contacts_import.html", context)


@require_safe
def contacts_example(request: HttpRequest, slug: str) -> HttpResponse:
    """The example file: with a byte order mark, so that spreadsheet programs read its accents."""
    access.study_for_researcher(request.user, slug)
    response = HttpResponse("\ufeff" + write_csv(cells.EXAMPLE), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="contacts.csv"'
    return response
