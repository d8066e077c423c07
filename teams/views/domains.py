"""Researchers: the mail domains of the institutions in a study."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from teams import access
from teams.forms.studies import MailDomainForm
from teams.models import MailDomain
from teams.people import mail_domains
from teams.people.elsewhere import Elsewhere


@require_http_methods(["GET", "HEAD", "POST"])
def domains(request: HttpRequest, slug: str) -> HttpResponse:
    study = access.study_for_researcher(request.user, slug)
    institutions = mail_domains.institutions_of(study)
    form = MailDomainForm(request.POST or None, study=study)
    if request.method == "POST" and form.is_valid():
        try:
            added = mail_domains.add(study, **form.cleaned_data, by=access.signed_in(request))
        except Elsewhere as error:
            form.add_error(None, str(error))
        else:
            if added:
                messages.success(request, _("%(domain)s is on the list.") % form.cleaned_data)
            else:
                messages.warning(request, _("%(domain)s was already on the list.") % form.cleaned_data)
            return redirect("mail_domains", slug)
    listed = [
        (institution, [row for row in institution.mail_domains.all() if row.used]) for institution in institutions
    ]
    return render(request, "teams/domains.html", {"study": study, "institutions": listed, "form": form})


@require_POST
def remove(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    study = access.study_for_researcher(request.user, slug)
    domain = get_object_or_404(
        MailDomain.objects.select_related("institution"), pk=pk, institution__in=mail_domains.institutions_of(study)
    )
    try:
        if mail_domains.remove(study, domain, access.signed_in(request)):
            messages.success(request, _("%(domain)s has been removed from the list.") % {"domain": domain})
    except Elsewhere as error:
        messages.error(request, str(error))
    return redirect("mail_domains", slug)
