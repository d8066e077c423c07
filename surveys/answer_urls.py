"""The teacher's addresses, below /a/. The pages of a response stand below its handle (answering/handles.py).

The same without a handle: releases before had no others, so pages that were open and drafts that lie on devices still come
there; and what belongs to no one response here does, as a locked parcel, deleting by a personal link and "next person".
"""

from django.urls import path, register_converter

from surveys.answering.handles import Handle
from surveys.views.teachers import device, respondent, saving, welcome

register_converter(Handle, "handle")

urlpatterns = [
    path("", welcome.join, name="join"),
    path("l", welcome.personal_welcome, name="personal_welcome"),
    path("l/<str:token>", welcome.personal_link, name="personal_link"),
    path("start", welcome.answer_start, name="answer_start"),
    path("mails", welcome.answer_opt_out, name="answer_opt_out"),
    path("<handle:handle>/l", welcome.personal_welcome, name="personal_welcome"),
    path("<handle:handle>/", respondent.questionnaire, name="questionnaire"),
    path("<handle:handle>/save", saving.answer_save, name="answer_save"),
    path("<handle:handle>/step", saving.answer_step, name="answer_step"),
    path("<handle:handle>/submit", saving.answer_submit, name="answer_submit"),
    path("<handle:handle>/delete", respondent.answer_delete, name="answer_delete"),
    path("<handle:handle>/done", respondent.answer_done, name="answer_done"),
    path("<handle:handle>/next", respondent.answer_next, name="answer_next"),
    path("q", respondent.questionnaire, name="questionnaire"),
    path("save", saving.answer_save, name="answer_save"),
    path("step", saving.answer_step, name="answer_step"),
    path("submit", saving.answer_submit, name="answer_submit"),
    path("delete", respondent.answer_delete, name="answer_delete"),
    path("done", respondent.answer_done, name="answer_done"),
    path("next", respondent.answer_next, name="answer_next"),
    path("sw.js", device.service_worker, name="service_worker"),
    path("<str:code>", welcome.meeting_welcome, name="meeting_welcome"),
]
