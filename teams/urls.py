from django.urls import path

from teams.views import contacts, director, duplicates, mails, setup, stopping, studies

urlpatterns = [
    path("i/<str:token>", director.invitation_link, name="invitation_link"),
    path("i/stop/<str:token>", stopping.no_reminders, name="no_reminders"),
    path("studies/", studies.studies, name="studies"),
    path("studies/new", studies.study_new, name="study_new"),
    path("studies/<slug:slug>/settings", studies.study_settings, name="study_settings"),
    path("studies/<slug:slug>/settings/people", studies.study_people, name="study_people"),
    path(
        "studies/<slug:slug>/settings/people/<int:pk>/remove", studies.study_person_remove, name="study_person_remove"
    ),
    path("studies/<slug:slug>/mail/", mails.mails, name="mails"),
    path("studies/<slug:slug>/mail/hours", mails.mail_hours, name="mail_hours"),
    path("studies/<slug:slug>/mail/reminders/<str:tier>", mails.mail_reminders, name="mail_reminders"),
    path("studies/<slug:slug>/mail/texts/<str:kind>", mails.mail_text, name="mail_text"),
    path("studies/<slug:slug>/mail/messages", mails.mail_messages, name="mail_messages"),
    path("studies/<slug:slug>/mail/messages/<int:pk>/resend", mails.mail_resend, name="mail_resend"),
    path("studies/<slug:slug>/academies/new", setup.academy_new, name="academy_new"),
    path("studies/<slug:slug>/academies/<int:pk>/", setup.academy_edit, name="academy_edit"),
    path("studies/<slug:slug>/teams/", setup.teams, name="teams"),
    path("studies/<slug:slug>/teams/new", setup.team_new, name="team_new"),
    path("studies/<slug:slug>/teams/import", contacts.contacts_import, name="contacts_import"),
    path("studies/<slug:slug>/teams/import/example.csv", contacts.contacts_example, name="contacts_example"),
    path("studies/<slug:slug>/teams/duplicates", duplicates.duplicates, name="duplicates"),
    path("studies/<slug:slug>/teams/merge/<slug:kind>/<int:keep>/<int:other>", duplicates.merge, name="merge"),
    path("studies/<slug:slug>/teams/invite", setup.invite_directors, name="invite_directors"),
    path("studies/<slug:slug>/teams/remind/<int:pk>", setup.invitation_remind, name="invitation_remind"),
    path("studies/<slug:slug>/teams/link/<int:pk>", setup.invitation_reissue, name="invitation_reissue"),
    path("studies/<slug:slug>/teams/withdraw/<int:pk>", setup.invitation_withdraw, name="invitation_withdraw"),
    path("studies/<slug:slug>/teams/<int:pk>/", setup.team_edit, name="team_edit"),
    path("studies/<slug:slug>/teams/<int:pk>/history", setup.team_history, name="team_history"),
]
