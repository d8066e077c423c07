"""The addresses of collecting: teachers under /a/, facilitators under /f/, researchers under their study."""

from django.urls import path

from surveys.views import collecting, facilitator, questionnaire, respondent

urlpatterns = [
    path("a/", respondent.join, name="join"),
    path("a/l", respondent.personal_welcome, name="personal_welcome"),
    path("a/l/<str:token>", respondent.personal_link, name="personal_link"),
    path("a/start", respondent.answer_start, name="answer_start"),
    path("a/mails", respondent.answer_opt_out, name="answer_opt_out"),
    path("a/q", respondent.questionnaire, name="questionnaire"),
    path("a/save", respondent.answer_save, name="answer_save"),
    path("a/step", respondent.answer_step, name="answer_step"),
    path("a/submit", respondent.answer_submit, name="answer_submit"),
    path("a/delete", respondent.answer_delete, name="answer_delete"),
    path("a/done", respondent.answer_done, name="answer_done"),
    path("a/<str:code>", respondent.meeting_welcome, name="meeting_welcome"),
    path("f/<str:token>", facilitator.link, name="facilitator_link"),
    path("f/<int:meeting_id>/", facilitator.page, name="facilitator"),
    path("f/<int:meeting_id>/counts", facilitator.counts, name="facilitator_counts"),
    path("f/<int:meeting_id>/projector", facilitator.projector, name="facilitator_projector"),
    path("f/<int:meeting_id>/present", facilitator.present, name="facilitator_present"),
    path("f/<int:meeting_id>/more", facilitator.more, name="facilitator_more"),
    path("f/<int:meeting_id>/close", facilitator.close, name="facilitator_close"),
    path("f/<int:meeting_id>/reopen", facilitator.reopen, name="facilitator_reopen"),
    path("f/<int:meeting_id>/seal", facilitator.seal, name="facilitator_seal"),
    path("studies/<slug:slug>/questionnaire", questionnaire.choose, name="questionnaire_choose"),
    path("studies/<slug:slug>/collecting/", collecting.overview, name="collecting"),
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
