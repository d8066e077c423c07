"""The teacher's addresses, below /a/."""

from django.urls import path

from surveys.views import device, respondent, saving

urlpatterns = [
    path("", respondent.join, name="join"),
    path("l", respondent.personal_welcome, name="personal_welcome"),
    path("l/<str:token>", respondent.personal_link, name="personal_link"),
    path("start", respondent.answer_start, name="answer_start"),
    path("mails", respondent.answer_opt_out, name="answer_opt_out"),
    path("q", respondent.questionnaire, name="questionnaire"),
    path("save", saving.answer_save, name="answer_save"),
    path("step", saving.answer_step, name="answer_step"),
    path("submit", saving.answer_submit, name="answer_submit"),
    path("delete", respondent.answer_delete, name="answer_delete"),
    path("done", respondent.answer_done, name="answer_done"),
    path("next", respondent.answer_next, name="answer_next"),
    path("sw.js", device.service_worker, name="service_worker"),
    path("<str:code>", respondent.meeting_welcome, name="meeting_welcome"),
]
