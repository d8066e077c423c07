"""Addresses of studies, teams, invitations and mails."""

from django.urls import path

from teams.views import (
    contacts,
    director,
    domains,
    duplicates,
    employment,
    histories,
    joining,
    mails,
    research_groups,
    setup,
    stopping,
    studies,
)

urlpatterns = [
    path("i/<str:token>", director.invitation_link, name="invitation_link"),
    path("i/stop/<str:token>", stopping.no_reminders, name="no_reminders"),
    path("i/research/<str:token>", joining.join_research, name="join_research"),
    path("groups/", research_groups.groups, name="groups"),
    path("groups/<int:pk>/", research_groups.group, name="group"),
    path("groups/<int:pk>/name", research_groups.group_rename, name="group_rename"),
    path("groups/<int:pk>/asked/<int:invitation>/remove", research_groups.asked_remove, name="group_asked_remove"),
    path(
        "groups/<int:pk>/members/<int:member>/everywhere", research_groups.member_everywhere, name="member_everywhere"
    ),
    path("groups/<int:pk>/members/<int:member>/remove", research_groups.member_remove, name="member_remove"),
    path("studies/", studies.studies, name="studies"),
    path("studies/new", studies.study_new, name="study_new"),
    path("studies/<slug:slug>/settings", studies.study_settings, name="study_settings"),
    path("studies/<slug:slug>/settings/people", studies.study_people, name="study_people"),
    path(
        "studies/<slug:slug>/settings/people/<int:pk>/remove", studies.study_person_remove, name="study_person_remove"
    ),
    path(
        "studies/<slug:slug>/settings/people/asked/<int:pk>/remove",
        studies.study_asked_remove,
        name="study_asked_remove",
    ),
    path("studies/<slug:slug>/settings/employment", employment.study_employment, name="study_employment"),
    path("studies/<slug:slug>/history", histories.study_history, name="study_history"),
    path("studies/<slug:slug>/mail/", mails.mails, name="mails"),
    path("studies/<slug:slug>/mail/hours", mails.mail_hours, name="mail_hours"),
    path("studies/<slug:slug>/mail/reminders/<str:tier>", mails.mail_reminders, name="mail_reminders"),
    path("studies/<slug:slug>/mail/texts/<str:kind>", mails.mail_text, name="mail_text"),
    path("studies/<slug:slug>/mail/messages", mails.mail_messages, name="mail_messages"),
    path("studies/<slug:slug>/mail/messages/resend", mails.mail_resend_all, name="mail_resend_all"),
    path("studies/<slug:slug>/mail/messages/<int:pk>/resend", mails.mail_resend, name="mail_resend"),
    path("studies/<slug:slug>/academies/new", setup.academy_new, name="academy_new"),
    path("studies/<slug:slug>/academies/<int:pk>/", setup.academy_edit, name="academy_edit"),
    path("studies/<slug:slug>/teams/", setup.teams, name="teams"),
    path("studies/<slug:slug>/teams/new", setup.team_new, name="team_new"),
    path("studies/<slug:slug>/teams/import", contacts.contacts_import, name="contacts_import"),
    path("studies/<slug:slug>/teams/import/example.csv", contacts.contacts_example, name="contacts_example"),
    path("studies/<slug:slug>/teams/domains", domains.domains, name="mail_domains"),
    path("studies/<slug:slug>/teams/domains/<int:pk>/remove", domains.remove, name="mail_domain_remove"),
    path("studies/<slug:slug>/teams/duplicates", duplicates.duplicates, name="duplicates"),
    path("studies/<slug:slug>/teams/merge/<slug:kind>/<int:keep>/<int:other>", duplicates.merge, name="merge"),
    path("studies/<slug:slug>/teams/invite", setup.invite_directors, name="invite_directors"),
    path("studies/<slug:slug>/teams/remind/<int:pk>", setup.invitation_remind, name="invitation_remind"),
    path("studies/<slug:slug>/teams/link/<int:pk>", setup.invitation_reissue, name="invitation_reissue"),
    path("studies/<slug:slug>/teams/withdraw/<int:pk>", setup.invitation_withdraw, name="invitation_withdraw"),
    path("studies/<slug:slug>/teams/<int:pk>/", setup.team_edit, name="team_edit"),
    path("studies/<slug:slug>/teams/<int:pk>/hand-over/<int:later_id>", setup.wave_hand_over, name="wave_hand_over"),
    path("studies/<slug:slug>/teams/<int:pk>/leader", setup.leader_let_in, name="leader_let_in"),
    path("studies/<slug:slug>/teams/<int:pk>/history", histories.team_history, name="team_history"),
]
