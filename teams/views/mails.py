"""Researchers: the mails of a study. Its words, its hours, its reminders, and what became of each mail."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from teams import access
from teams.base import once
from teams.forms.filled import hold
from teams.forms.mails import HoursForm, ScheduleForm, WordsForm
from teams.inviting import reminders
from teams.mail import composing, listing, pace, server, templates
from teams.mail.kinds import To
from teams.mail.templates import LETTERS, Letter, Wording
from teams.models import MailHours, MailText, ReminderSchedule, Study, User


@require_safe
def mails(request: HttpRequest, slug: str) -> HttpResponse:
    study = access.study_for_researcher(request.user, slug)
    return _page(request, study)


def _page(
    request: HttpRequest, study: Study, schedule_form: ScheduleForm | None = None, hours_form: HoursForm | None = None
) -> HttpResponse:
    tiers = []
    for tier in ReminderSchedule.Tier:
        outlook = reminders.outlook(study, tier)
        form = ScheduleForm(schedule=outlook.schedule)
        if schedule_form is not None and schedule_form.prefix == tier:
            form = schedule_form
        tiers.append({"tier": tier, "outlook": outlook, "form": form})
    hours = MailHours.objects.filter(study=study).first()
    context = {
        "study": study,
        "tiers": tiers,
        "readers": _readers(study),
        "languages": settings.LANGUAGES,
        "counts": listing.counts_of(study),
        "n_undelivered": listing.undelivered(study).count(),
        "n_deferred": listing.deferred(study).count(),
        "hours_form": hours_form or HoursForm(own=hours),
        "site_hours": pace.site_hours(),
    }
    return render(request, "teams/mails.html", context)


def _readers(study: Study) -> list[tuple[str, list[dict[str, object]]]]:
    """The letters by who reads them, each with the languages that the study wrote it in."""
    own: dict[str, set[str]] = {}
    for kind, language in MailText.objects.filter(study=study).values_list("kind", "language"):
        own.setdefault(kind, set()).add(language)
    rows = [
        {
            "kind": kind,
            "letter": letter,
            "own": [code in own.get(kind, ()) for code, _name in settings.LANGUAGES],
            "missing": [name for code, name in settings.LANGUAGES if own.get(kind) and code not in own[kind]],
        }
        for kind, letter in LETTERS.items()
    ]
    by_reader = [(to.words, [row for row in rows if LETTERS[str(row["kind"])].kind.to is to]) for to in To]
    return [(words, letters) for words, letters in by_reader if letters]


@require_POST
def mail_reminders(request: HttpRequest, slug: str, tier: str) -> HttpResponse:
    study = access.study_for_researcher(request.user, slug)
    hold(request, study)
    if tier not in ReminderSchedule.Tier.values:
        raise Http404
    form = ScheduleForm(request.POST, schedule=reminders.schedule_of(study, tier))
    if not form.is_valid():
        return _page(request, study, schedule_form=form)
    active = request.POST.get("active") == "on"
    reminders.set_schedule(study, tier, active=active, by=access.signed_in(request), **form.cleaned_data)
    messages.success(request, _("The reminders are on.") if active else _("The reminders are paused."))
    return redirect("mails", slug)


@require_POST
def mail_hours(request: HttpRequest, slug: str) -> HttpResponse:
    study = access.study_for_researcher(request.user, slug)
    hold(request, study)
    form = HoursForm(request.POST, own=MailHours.objects.filter(study=study).first())
    if not form.is_valid():
        return _page(request, study, hours_form=form)
    pace.set_hours(study, form.hours(), access.signed_in(request))
    messages.success(request, _("The sending hours are saved."))
    return redirect("mails", slug)


# ------------------------------------------------------------------------------------------------ the words of a mail
@dataclass(slots=True)
class Edited:
    """A letter in one language on its page: the form, what is stored, and what it would look like."""

    code: str
    name: str
    stored: Wording
    form: WordsForm
    preview: composing.Mail | None = None
    pieces: list[list[tuple[bool, str]]] | None = None


@require_http_methods(["GET", "HEAD", "POST"])
def mail_text(request: HttpRequest, slug: str, kind: str) -> HttpResponse:
    """Both languages of a mail side by side. One form per language: preview, save, a test to oneself, or back to shipped."""
    study, user = access.study_for_researcher(request.user, slug), access.signed_in(request)
    if kind not in LETTERS:
        raise Http404
    posted = request.POST.get("language", "")
    edited = [_edited(request, study, kind, code, str(name), posted == code) for code, name in settings.LANGUAGES]
    chosen = next((version for version in edited if version.code == posted), None)
    if request.method == "POST":
        if chosen is None:
            raise Http404
        answer = _act(request, study, kind, chosen, user)
        if answer is not None:
            return answer
    for version in edited:
        words = version.form.words() if version.form.is_bound and version.form.is_valid() else version.stored
        if not version.form.is_bound or version.form.is_valid():
            version.preview = templates.preview(kind, study, version.code, user.email, words)
            version.pieces = composing.paragraphs(version.preview.text)
    letter: Letter = LETTERS[kind]
    context = {
        "study": study,
        "kind": kind,
        "letter": letter,
        "edited": edited,
        "fields": [(name, templates.FIELDS[name][0], name in letter.required) for name in letter.known],
        "missing": [version for version in edited if not version.stored.own]
        if any(version.stored.own for version in edited)
        else [],
    }
    page = render(request, "teams/mail_text.html", context)
    return once.keep(page) if request.POST.get("action") == "test" else page


def _edited(request: HttpRequest, study: Study, kind: str, code: str, name: str, is_posted: bool) -> Edited:
    stored = templates.wording(study, kind, code)
    posted = request.POST if is_posted and request.POST.get("action") != "shipped" else None
    return Edited(code, name, stored, WordsForm(posted, kind=kind, language=code, words=stored))


def _act(request: HttpRequest, study: Study, kind: str, letter: Edited, user: User) -> HttpResponse | None:
    """Do what the pressed button says; None where the page is shown again as it was sent."""
    action = request.POST.get("action")
    if (
        action == "shipped"
        and WordsForm(request.POST, kind=kind, language=letter.code, words=letter.stored).changed_meanwhile()
    ):
        messages.warning(
            request, _("Somebody else has changed this text in the meantime. Nothing was done; look at it again.")
        )
    elif action == "shipped":
        templates.back_to_shipped(study, kind, letter.code, user)
        messages.success(request, _("The standard text is in use again."))
    elif action == "preview" or not letter.form.is_valid():
        return None
    elif action == "test":
        problem = server.send_now(templates.preview(kind, study, letter.code, user.email, letter.form.words()))
        if problem:
            messages.error(request, _("The mail server did not take the test email: %(why)s") % {"why": problem})
        else:
            messages.success(request, _("A test email is on its way to %(address)s.") % {"address": user.email})
        return None  # what was written stays in the form: a test comes before saving
    elif templates.put_in_own_words(
        study, kind, letter.code, letter.form.words().subject, letter.form.words().body, user
    ):
        messages.success(
            request, _("The text has been saved. Emails that are still waiting will be sent with this text.")
        )
    else:
        messages.success(request, _("Nothing was changed."))
    return redirect("mail_text", study.slug, kind)


# ------------------------------------------------------------------------------------------------ what became of them
@require_safe
def mail_messages(request: HttpRequest, slug: str) -> HttpResponse:
    study = access.study_for_researcher(request.user, slug)
    hold(request, study)
    states = [
        ("undelivered", _("did not arrive")),
        ("deferred", _("tried again later")),
        *listing.State.choices,
    ]
    state = request.GET.get("state", "")
    if state not in dict(states):
        state = ""
    rows, page = listing.list_mails(study, state, request.GET.get("page"))
    context = {
        "study": study,
        "rows": rows,
        "page": page,
        "state": state,
        "states": states,
        "query": urlencode({"state": state}),
        "n_given_up": listing.given_up(study).count(),
    }
    return render(request, "teams/mail_messages.html", context)


@require_POST
def mail_resend(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    message = access.mail_for_researcher(request.user, slug, pk)
    if listing.resend(message, access.signed_in(request)):
        messages.success(request, _("The email is on its way again."))
    else:
        messages.warning(request, _("Nothing was sent: this email has not failed."))
    return redirect("mail_messages", slug)


@require_POST
def mail_resend_all(request: HttpRequest, slug: str) -> HttpResponse:
    study = access.study_for_researcher(request.user, slug)
    n = listing.resend_all(study, access.signed_in(request))
    if n:
        said = ngettext("%(n)s email is on its way again.", "%(n)s emails are on their way again.", n)
        messages.success(request, said % {"n": n})
    else:
        messages.warning(request, _("Nothing was sent: there are no undelivered emails."))
    return redirect("mail_messages", slug)
