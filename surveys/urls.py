"""The addresses of collecting: facilitators under /f/, researchers under their study. Teachers: answer_urls.py."""

from django.urls import URLPattern, path

from surveys.views.by_link import facilitator
from surveys.views.researchers import (
    address_lists,
    collecting,
    meeting_texts,
    meetings,
    overview,
    paper,
    planning,
    questionnaire,
    reshaping,
    rounds,
)
from surveys.views.teachers import stopping


def _paper(prefix: str, name: str, which: int) -> list[URLPattern]:
    """The addresses of typing paper forms."""
    pages = {
        "": ("", paper.overview),
        "_pdf": ("form-<str:language>.pdf", paper.pdf),
        "_new": ("new", paper.new),
        "_again": ("again", paper.again),
        "_add": ("add", paper.add),
        "_handed_in": ("handed-in", paper.handed_in),
        "_form": ("<int:number>/", paper.form),
        "_throw": ("<int:number>/throw", paper.throw),
    }
    return [path(prefix + route, views[which], name=f"{name}_paper{page}") for page, (route, views) in pages.items()]


_RESEARCHERS_PAPER = "studies/<slug:slug>/collecting/<int:participation_id>/paper/"

urlpatterns = [
    path("i/addresses/t/<str:token>", address_lists.enter, name="address_list_link"),
    path("i/addresses/<int:check_id>/", address_lists.by_link, name="address_list"),
    path("i/stop/t/<str:token>", stopping.no_mails, name="no_mails"),
    path("f/<str:token>", facilitator.link, name="facilitator_link"),
    path("f/<int:meeting_id>/", facilitator.page, name="facilitator"),
    path("f/<int:meeting_id>/counts", facilitator.counts, name="facilitator_counts"),
    path("f/<int:meeting_id>/projector", facilitator.projector, name="facilitator_projector"),
    path("f/<int:meeting_id>/present", facilitator.present, name="facilitator_present"),
    path("f/<int:meeting_id>/slips", facilitator.print_slips, name="facilitator_slips"),
    path("f/<int:meeting_id>/slips/end", facilitator.end_slips, name="facilitator_slips_end"),
    path("f/<int:meeting_id>/more", facilitator.more, name="facilitator_more"),
    path("f/<int:meeting_id>/close", facilitator.close, name="facilitator_close"),
    path("f/<int:meeting_id>/show", facilitator.show, name="facilitator_show"),
    path("f/<int:meeting_id>/reopen", facilitator.reopen, name="facilitator_reopen"),
    path("calendar/<str:token>.ics", meetings.calendar_feed, name="calendar_feed"),
    path("team/<int:pk>/meeting", planning.team_meeting, name="team_meeting"),
    path("studies/<slug:slug>/meetings/", meetings.meetings, name="meetings"),
    path("studies/<slug:slug>/meetings/feed", meetings.feed_change, name="calendar_feed_change"),
    path("studies/<slug:slug>/meetings/slots/<int:pk>/withdraw", meetings.slot_withdraw, name="slot_withdraw"),
    path("studies/<slug:slug>/meetings/<int:participation_id>/", planning.meeting, name="meeting"),
    path("studies/<slug:slug>/teams/<int:pk>/reshape", reshaping.reshape, name="team_reshape"),
    path("studies/<slug:slug>/teams/<int:pk>/reshape/merge/<int:other>", reshaping.merge, name="team_merge"),
    path("studies/<slug:slug>/teams/<int:pk>/reshape/split", reshaping.split, name="team_split"),
    path("studies/<slug:slug>/questionnaire", questionnaire.choose, name="questionnaire_choose"),
    path("studies/<slug:slug>/collecting/", overview.overview, name="collecting"),
    path("studies/<slug:slug>/collecting/open", overview.open_missing, name="collecting_open"),
    path("studies/<slug:slug>/collecting/texts", meeting_texts.texts, name="meeting_texts"),
    path("studies/<slug:slug>/collecting/addresses/", address_lists.lists, name="address_lists"),
    path(
        "studies/<slug:slug>/collecting/addresses/<int:pk>/", address_lists.for_administrator, name="address_list_admin"
    ),
    path("studies/<slug:slug>/collecting/addresses/<int:pk>/ask", address_lists.ask, name="address_list_ask"),
    path("studies/<slug:slug>/collecting/reminders", rounds.reminder_rounds, name="reminder_rounds"),
    path("studies/<slug:slug>/collecting/reminders/<int:pk>/drop", rounds.drop, name="reminder_round_drop"),
    path("studies/<slug:slug>/collecting/<int:participation_id>/", collecting.team, name="collecting_team"),
    path("studies/<slug:slug>/collecting/<int:participation_id>/close", collecting.close, name="collecting_close"),
    path("studies/<slug:slug>/collecting/<int:participation_id>/reopen", collecting.reopen, name="collecting_reopen"),
    path("studies/<slug:slug>/collecting/<int:participation_id>/seal", collecting.seal, name="collecting_seal"),
    path("studies/<slug:slug>/collecting/<int:participation_id>/links", collecting.links, name="collecting_links"),
    path(
        "studies/<slug:slug>/collecting/<int:participation_id>/present",
        collecting.count_present,
        name="collecting_present",
    ),
    path(
        "studies/<slug:slug>/collecting/<int:participation_id>/slips", collecting.print_slips, name="collecting_slips"
    ),
    path(
        "studies/<slug:slug>/collecting/<int:participation_id>/slips/end",
        collecting.end_slips,
        name="collecting_slips_end",
    ),
    path("studies/<slug:slug>/collecting/<int:participation_id>/key", collecting.new_key, name="collecting_new_key"),
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
    # both by whoever leads the meeting and by researchers: each page of typing paper forms is two views
    *_paper("f/<int:meeting_id>/paper/", "facilitator", 1),
    *_paper(_RESEARCHERS_PAPER, "collecting", 0),
    path(f"{_RESEARCHERS_PAPER}back", paper.back, name="collecting_paper_back"),
    path(f"{_RESEARCHERS_PAPER}<int:number>/correct", paper.correct, name="collecting_paper_correct"),
]
