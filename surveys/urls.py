"""The addresses of collecting: facilitators under /f/, researchers under their study. Teachers: answer_urls.py."""

from django.urls import path

from surveys.views import collecting, facilitator, meeting_texts, meetings, planning, questionnaire, rounds, stopping

urlpatterns = [
    path("i/stop/t/<str:token>", stopping.no_mails, name="no_mails"),
    path("f/<str:token>", facilitator.link, name="facilitator_link"),
    path("f/<int:meeting_id>/", facilitator.page, name="facilitator"),
    path("f/<int:meeting_id>/counts", facilitator.counts, name="facilitator_counts"),
    path("f/<int:meeting_id>/projector", facilitator.projector, name="facilitator_projector"),
    path("f/<int:meeting_id>/present", facilitator.present, name="facilitator_present"),
    path("f/<int:meeting_id>/more", facilitator.more, name="facilitator_more"),
    path("f/<int:meeting_id>/close", facilitator.close, name="facilitator_close"),
    path("f/<int:meeting_id>/reopen", facilitator.reopen, name="facilitator_reopen"),
    path("f/<int:meeting_id>/seal", facilitator.seal, name="facilitator_seal"),
    path("calendar/<str:token>.ics", meetings.calendar_feed, name="calendar_feed"),
    path("team/<int:pk>/meeting", planning.team_meeting, name="team_meeting"),
    path("studies/<slug:slug>/meetings/", meetings.meetings, name="meetings"),
    path("studies/<slug:slug>/meetings/feed", meetings.feed_change, name="calendar_feed_change"),
    path("studies/<slug:slug>/meetings/slots/<int:pk>/withdraw", meetings.slot_withdraw, name="slot_withdraw"),
    path("studies/<slug:slug>/meetings/<int:participation_id>/", planning.meeting, name="meeting"),
    path("studies/<slug:slug>/questionnaire", questionnaire.choose, name="questionnaire_choose"),
    path("studies/<slug:slug>/collecting/", collecting.overview, name="collecting"),
    path("studies/<slug:slug>/collecting/texts", meeting_texts.texts, name="meeting_texts"),
    path("studies/<slug:slug>/collecting/reminders", rounds.reminder_rounds, name="reminder_rounds"),
    path("studies/<slug:slug>/collecting/reminders/<int:pk>/drop", rounds.drop, name="reminder_round_drop"),
    path("studies/<slug:slug>/collecting/<int:participation_id>/", collecting.team, name="collecting_team"),
    path("studies/<slug:slug>/collecting/<int:participation_id>/close", collecting.close, name="collecting_close"),
    path("studies/<slug:slug>/collecting/<int:participation_id>/reopen", collecting.reopen, name="collecting_reopen"),
    path("studies/<slug:slug>/collecting/<int:participation_id>/seal", collecting.seal, name="collecting_seal"),
    path("studies/<slug:slug>/collecting/<int:participation_id>/links", collecting.links, name="collecting_links"),
    path("studies/<slug:slug>/collecting/<int:participation_id>/remind", collecting.remind, name="collecting_remind"),
    path(
        "studies/<slug:slug>/collecting/<int:participation_id>/facilitator",
        collecting.send_facilitator_link,
        name="collecting_facilitator",
    ),
    path(
        "studies/<slug:slug>/collecting/<int:participation_id>/facilitator/renew",
        collecting.renew_facilitator_link,
        name="collecting_renew",
    ),
]
