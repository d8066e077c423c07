"""Every address of the application. Who may open what: tests/access/."""

from django.contrib.auth.decorators import login_not_required
from django.urls import include, path
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from config import pages, webhooks
from config.handbook import views as handbook
from surveys.views.by_link.invitation import invitation
from teams.accounts.sign_in import too_many

handler429 = too_many  # allauth asks for it when one of its limits is reached

handler404 = pages.not_found
urlpatterns = [
    path("a/", include("surveys.answer_urls")),  # first: asked for most
    path("", pages.home, name="home"),
    path("start", pages.start, name="start"),
    path("privacy", pages.privacy, name="privacy"),
    path("accessibility", pages.accessibility, name="accessibility"),
    path("help/", handbook.contents, name="help"),
    path("help/<slug:name>/", handbook.page, name="handbook"),
    path("health", pages.health, name="health"),
    path("mail/events", webhooks.mail_events, name="mail_events"),
    path("language", login_not_required(require_POST(set_language)), name="set_language"),
    path("dev/mail", pages.dev_mail, name="dev_mail"),
    path("accounts/", include("teams.accounts.urls")),
    # one address, two answers: a director's (teams) and a team leader's (surveys, since accepting may open a collection)
    path("i/<int:invitation_id>/", invitation, name="invitation"),
    path("", include("teams.urls")),
    path("questionnaires/", include("surveys.questionnaire_urls")),
    path("", include("surveys.urls")),
    path("", include("analysis.urls")),
]
