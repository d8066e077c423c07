"""Who may open what: role × address × expected answer, over the cast of cast.py.

Every address of the application stands in the table; one that does not fails `test_every_address_is_in_the_table`.
LOGIN is a redirect to the sign-in page. Strangers get 404, so that what they may not see looks like what is not there.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse
from django.utils import timezone

from analysis.data.dataset import load
from analysis.models import AnalysisRun, Decision, OwnModel, Unit
from analysis.models.releases import ResultRelease, RowRelease
from analysis.models.results import FactorModelResult, ResultTable
from analysis.plan.plans import locked_plan
from analysis.publication.links import share_study
from analysis.runs.execution import request_run
from config.handbook.places import OF_NOBODY, place
from surveys import answer_urls
from surveys.linking import address_lists
from surveys.models import AddressCheck
from surveys.paper import entry
from teams.inviting import invitations
from teams.inviting.invitations import stop_path
from teams.meetings import calendars
from teams.models import MailDomain, OfferedSlot, Participation, ResearcherInvitation, Study, Team, User
from teams.studies import joining
from tests.access.cast import ACCOUNTS, ROLES, Cast, make_cast, personal_path

pytestmark = pytest.mark.django_db

LOGIN = "login"
RESEARCHERS = ("alice", "bob", "admin")  # of any study; they sign in with a password
LEADERS = ("carol", "dave")
LEADERS_403 = dict.fromkeys(LEADERS, 403)
SAME_FOR_ALL = {"service_worker"}
BEFORE_SIGN_IN = {"account_confirm_login_code", "mfa_authenticate"}  # public: the second step of signing in
NOBODY_WAITS = {role: LOGIN for role in ROLES if role not in ACCOUNTS}  # no sign-in was begun: back to its first page
Expected = dict[str, int | str]
Arguments = Callable[[Cast], list[object]]


@dataclass(frozen=True)
class Row:
    name: str
    expected: Expected
    arguments: Arguments = lambda cast: []
    method: str = "get"
    data: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.method} {self.name}"


HANDLE = "AAAAAAAAAAAAAAAA"


def everyone(status: int) -> Expected:
    return dict.fromkeys(ROLES, status)


def only(roles: tuple[str, ...], status: int) -> Expected:
    """Some accounts get ``status``; other accounts 404; who has no account is sent to the sign-in page."""
    return {role: status if role in roles else 404 if role in ACCOUNTS else LOGIN for role in ROLES}


def researchers(status: int) -> Expected:
    return only(("alice", "admin"), status)


def carol(status: int) -> Expected:
    return only(("carol",), status)


def by_link(role: str, status: int) -> Expected:
    """A page whose permission is a link: whoever holds another link, or an account, gets 404."""
    return everyone(404) | {role: status}


def slug(cast: Cast) -> list[object]:
    return [cast.study.slug]


def group(cast: Cast) -> list[object]:
    return [cast.study.group_id]


def of_member(cast: Cast) -> list[object]:
    return [cast.study.group_id, cast.study.group.memberships.get().pk]


def of_team(cast: Cast) -> list[object]:
    return [cast.study.slug, cast.participation.pk]


def of_two_teams(cast: Cast) -> list[object]:
    """Two of which no answers can come in yet: the third team and one that is only listed."""
    values = {"leader_name": "Nina", "leader_email": "nina@noord.example"}
    fourth, _new = Team.objects.get_or_create(academy=cast.third.team.academy, name="Vierde", defaults=values)
    return [cast.study.slug, cast.third.pk, invitations.list_team(cast.study, fourth).pk]


def of_role(cast: Cast) -> list[object]:
    return [cast.study.slug, cast.study.roles.get().pk]  # alice is the only one, and stays


def _asked(cast: Cast, study: Study | None) -> ResearcherInvitation:
    """Somebody was asked to do research in alice's study, or in her group."""
    return ResearcherInvitation.objects.get_or_create(
        group=cast.study.group,
        study=study,
        email="asked@noord.example",
        defaults={"name": "Asked", "invited_by": User.objects.get(email=cast.emails["alice"]), "nonce": "0" * 32},
    )[0]


def of_asked(cast: Cast) -> list[object]:
    return [cast.study.slug, _asked(cast, cast.study).pk]


def of_asked_by_group(cast: Cast) -> list[object]:
    return [cast.study.group_id, _asked(cast, None).pk]


def asked_token(cast: Cast) -> list[object]:
    return token_of(joining.path_of(_asked(cast, cast.study)))


def of_unled_team(cast: Cast) -> list[object]:
    """A team that takes part and that nobody leads, as one of imported answers."""
    cast.online.roles.filter(kind="leader").delete()
    return [cast.study.slug, cast.online.pk]


def of_later_wave(cast: Cast) -> list[object]:
    """Carol's team takes part again in a later study of alice's, led by dave."""
    alice = User.objects.get(email=cast.emails["alice"])
    later = Study.objects.create(
        group=cast.study.group,
        slug="later",
        title="Later",
        wave=2,
        starts_on=date(2027, 9, 1),
        ends_on=date(2028, 6, 30),
    )
    later.roles.create(kind="researcher", user=alice)
    wave = Participation.objects.create(
        study=later,
        team=cast.participation.team,
        state="accepted",
        mode="online",
        approached=9,
        leader_name="dave",
        leader_email=cast.emails["dave"],
    )
    return [*of_team(cast), wave.pk]


def of_online_team(cast: Cast) -> list[object]:
    return [cast.study.slug, cast.online.pk]


def questionnaire(cast: Cast) -> list[object]:
    return [cast.collection.survey.version.questionnaire_id]


def team(cast: Cast) -> list[object]:
    return [cast.participation.pk]


def meeting(cast: Cast) -> list[object]:
    return [cast.collection.meeting.pk]


def of_slot(cast: Cast) -> list[object]:
    tomorrow = timezone.now() + timedelta(days=1)
    slot = OfferedSlot.objects.create(
        study=cast.study, researcher=User.objects.get(email=cast.emails["alice"]), starts_at=tomorrow
    )
    return [cast.study.slug, slot.pk]


def of_feed(cast: Cast) -> list[object]:
    alice = User.objects.get(email=cast.emails["alice"])
    calendars.renew_feed(alice)
    return [calendars.feed_address(alice).rsplit("/", 1)[1].removesuffix(".ics")]


def typed_form(cast: Cast) -> int:
    return entry.new_form(cast.collection).number


def paper_of_meeting(cast: Cast) -> list[object]:
    return [*meeting(cast), typed_form(cast)]


def paper_of_team(cast: Cast) -> list[object]:
    return [*of_team(cast), typed_form(cast)]


def mail_domain(cast: Cast) -> MailDomain:
    return MailDomain.objects.get_or_create(institution=cast.academy.institution, domain="noord.example")[0]


def address_check(cast: Cast) -> AddressCheck:
    mail_domain(cast)
    alice = User.objects.get(email=cast.emails["alice"])
    return address_lists.ask(cast.study, cast.academy, "Kim", "kim@noord.example", alice)


def address_list(cast: Cast) -> list[object]:
    return token_of(address_lists.link(address_check(cast)))


def token_of(path: str) -> list[object]:
    return [path.rsplit("/", 1)[1]]


def finished_run(cast: Cast) -> AnalysisRun:
    return AnalysisRun.objects.create(
        survey=cast.collection.survey,
        plan=locked_plan(cast.study),
        state=AnalysisRun.State.DONE,
        n_seals=0,
        fingerprint="0" * 64,
        started_at=timezone.now(),
        finished_at=timezone.now(),
    )


def of_question(cast: Cast) -> list[object]:
    survey = cast.collection.survey
    type(survey).objects.filter(pk=survey.pk).update(background=["appointment"])
    return [cast.study.slug, "appointment"]


def of_finished_run(cast: Cast) -> list[object]:
    finished_run(cast)
    return [cast.study.slug]


def of_unit(cast: Cast) -> list[object]:
    unit = Unit.objects.create(study=cast.study, academy=cast.academy, name="Together")
    return [cast.study.slug, unit.pk]


def of_study_link(cast: Cast) -> list[object]:
    return [cast.study.slug, share_study(cast.study, 14, cast.study.roles.get().user).pk]


def of_run(cast: Cast) -> list[object]:
    return [cast.study.slug, request_run(cast.collection.survey).pk]


def of_release(cast: Cast) -> list[object]:
    release = RowRelease.objects.create(
        study=cast.study,
        purpose="for a check",
        fingerprint=load(cast.collection.survey).fingerprint,
        n_rows=0,
        smallest_cell=0,
    )
    return [cast.study.slug, release.pk, "csv"]


def of_result_release(cast: Cast) -> list[object]:
    finished_run(cast)
    return [cast.study.slug, ResultRelease.objects.create(study=cast.study, purpose="for a check").pk]


def of_factor_model(cast: Cast) -> list[object]:
    run = finished_run(cast)
    model = FactorModelResult.objects.create(run=run, name="six", syntax="", estimator="MLR", converged=True)
    return [cast.study.slug, model.pk]


def of_figure(cast: Cast) -> list[object]:
    ResultTable.objects.create(
        run=finished_run(cast), kind="correlations", name="scales", content={"names": [], "values": []}
    )
    return [cast.study.slug, "correlations-scales", "svg"]


def of_own_model(cast: Cast) -> list[object]:
    model = OwnModel.objects.create(
        study=cast.study, name="A", syntax="A =~ GV1 + GV2", estimator="MLR", reason="A check"
    )
    return [cast.study.slug, model.pk]


def of_decision(cast: Cast) -> list[object]:
    decision = Decision.objects.create(
        study=cast.study, kind="set_aside", subject="IV", reason="about the organisation"
    )
    return [cast.study.slug, decision.pk]


TABLE = [
    # ---------------------------------------------------------------- pages of no app
    Row("home", everyone(200)),
    Row("privacy", everyone(200)),
    Row("accessibility", everyone(200)),
    Row("help", everyone(200)),
    Row("handbook", everyone(200), lambda cast: ["leader"]),
    Row("health", everyone(200)),
    Row("dev_mail", everyone(200)),
    Row("mail_events", everyone(404), method="post"),  # no mail provider
    Row("set_language", everyone(302), method="post", data={"language": "en", "next": "/"}),
    Row("start", only(ACCOUNTS, 302)),
    # ---------------------------------------------------------------- sign-in
    Row("account_login", everyone(200) | dict.fromkeys(ACCOUNTS, 302)),
    Row("account_logout", everyone(302) | dict.fromkeys(ACCOUNTS, 200)),
    Row("account_inactive", everyone(200)),
    Row("account_signup", everyone(404)),
    Row("account_email", everyone(404)),
    Row("account_email_verification_sent", everyone(404)),
    Row("account_confirm_email", everyone(404), lambda cast: ["abc"]),
    Row("account_request_login_code", everyone(200) | dict.fromkeys(ACCOUNTS, 302)),
    Row("account_confirm_login_code", everyone(302) | NOBODY_WAITS),
    Row("account_reset_password", everyone(200)),
    Row("account_reset_password_done", everyone(200)),
    Row("account_reset_password_from_key", everyone(200), lambda cast: ["abc", "no-key"]),
    Row("account_reset_password_from_key_done", everyone(200)),
    # leaders have no password: there is nothing to confirm by, so what needs that is refused
    Row("account_reauthenticate", only(RESEARCHERS, 200) | LEADERS_403),
    Row("account_change_password", only(ACCOUNTS, 200) | dict.fromkeys(LEADERS, 302)),
    Row("account_set_password", only(ACCOUNTS, 302) | dict.fromkeys(LEADERS, 200)),
    Row("mfa_index", only(ACCOUNTS, 200)),
    Row("mfa_authenticate", everyone(302) | NOBODY_WAITS),
    # what changes the second factor asks a researcher for the password first
    Row("mfa_reauthenticate", only(RESEARCHERS, 302) | LEADERS_403),
    Row("mfa_activate_totp", only(RESEARCHERS, 302) | dict.fromkeys(LEADERS, 200)),
    Row("mfa_deactivate_totp", only((), 404)),
    Row("mfa_view_recovery_codes", only((), 404)),
    Row("mfa_generate_recovery_codes", only(RESEARCHERS, 302) | dict.fromkeys(LEADERS, 200)),
    Row("mfa_download_recovery_codes", only((), 404)),
    Row("mfa_list_webauthn", only(ACCOUNTS, 200)),
    Row("mfa_add_webauthn", only(RESEARCHERS, 302) | dict.fromkeys(LEADERS, 200)),
    Row("mfa_reauthenticate_webauthn", only(RESEARCHERS, 302) | LEADERS_403),
    Row("mfa_remove_webauthn", only(RESEARCHERS, 302) | dict.fromkeys(LEADERS, 404), lambda cast: [1]),
    Row("mfa_edit_webauthn", only(RESEARCHERS, 302) | dict.fromkeys(LEADERS, 404), lambda cast: [1]),
    # ---------------------------------------------------------------- invitations, by link
    Row("invitation_link", everyone(404), lambda cast: ["forged"]),
    Row("invitation_link", everyone(302), lambda cast: token_of(cast.links["director"])),
    Row("invitation", by_link("director", 200), lambda cast: [cast.director_invitation.pk]),
    Row("invitation", by_link("leader", 200), lambda cast: [cast.leader_invitation.pk]),
    Row("join_research", everyone(404), lambda cast: ["forged"]),
    Row("join_research", everyone(200), asked_token),
    Row("no_reminders", everyone(404), lambda cast: ["forged"]),
    Row("no_reminders", everyone(200), lambda cast: token_of(stop_path(cast.leader_invitation))),
    Row("no_reminders", everyone(302), lambda cast: token_of(stop_path(cast.leader_invitation)), "post"),
    Row("address_list_link", everyone(404), lambda cast: ["forged"]),
    Row("address_list_link", everyone(302), address_list),
    Row("address_list", everyone(404), lambda cast: [address_check(cast).pk]),
    Row("no_mails", everyone(404), lambda cast: ["1.forged"]),
    # ---------------------------------------------------------------- teachers: the code or the link is all they have
    Row("join", everyone(200)),
    Row("meeting_welcome", everyone(404), lambda cast: ["WRONG1"]),
    Row("meeting_welcome", everyone(200), lambda cast: [cast.collection.meeting.code]),
    Row("personal_link", everyone(302), lambda cast: ["forged"]),
    Row("personal_link", everyone(302), lambda cast: token_of(personal_path(cast))),
    Row("personal_welcome", everyone(404)),
    Row("questionnaire", everyone(404)),
    Row("answer_done", everyone(200)),
    Row("answer_start", everyone(404), method="post"),
    Row("answer_opt_out", everyone(404), method="post"),
    Row("answer_save", everyone(400), method="post"),
    Row("answer_step", everyone(404), method="post"),
    Row("answer_submit", everyone(404), method="post"),
    Row("answer_delete", everyone(404), method="post"),
    Row("answer_delete", everyone(200)),  # what is said after the page's script deleted
    Row("answer_next", everyone(303), method="post"),
    # the pages of one response, whose key nobody here holds; and of a personal link
    Row("personal_welcome", everyone(404), lambda cast: [HANDLE]),
    Row("personal_welcome", everyone(303), lambda cast: [HANDLE], method="post"),
    Row("questionnaire", everyone(404), lambda cast: [HANDLE]),
    Row("questionnaire", everyone(404), lambda cast: [HANDLE], method="post"),
    Row("answer_done", everyone(200), lambda cast: [HANDLE]),
    Row("answer_save", everyone(400), lambda cast: [HANDLE], method="post"),
    Row("answer_step", everyone(404), lambda cast: [HANDLE], method="post"),
    Row("answer_submit", everyone(404), lambda cast: [HANDLE], method="post"),
    Row("answer_delete", everyone(404), lambda cast: [HANDLE], method="post"),
    Row("answer_delete", everyone(200), lambda cast: [HANDLE]),
    Row("answer_next", everyone(303), lambda cast: [HANDLE], method="post"),
    Row("service_worker", everyone(200)),
    # ---------------------------------------------------------------- facilitators, by link
    Row("facilitator_link", everyone(404), lambda cast: ["forged"]),
    Row("facilitator_link", everyone(302), lambda cast: token_of(cast.links["facilitator"])),
    Row("facilitator", by_link("facilitator", 200), meeting),
    Row("facilitator_counts", by_link("facilitator", 200), meeting),
    Row("facilitator_projector", by_link("facilitator", 200), meeting),
    Row("facilitator_present", by_link("facilitator", 302), meeting, "post", {"present": 9}),
    # nobody has asked for the picture of this meeting: tests/analysis/test_picture_pages.py
    Row("facilitator_picture", everyone(404), meeting),
    Row("facilitator_picture_progress", everyone(404), meeting),
    Row("facilitator_slips", by_link("facilitator", 200), meeting, "post", {"n": 3}),
    Row("facilitator_slips_end", by_link("facilitator", 302), meeting, "post"),
    Row("facilitator_more", by_link("facilitator", 302), meeting, "post"),
    Row("facilitator_close", by_link("facilitator", 302), meeting, "post"),
    Row("facilitator_show", by_link("facilitator", 302), meeting, "post"),
    Row("facilitator_reopen", by_link("facilitator", 302), meeting, "post"),
    Row("facilitator_paper", by_link("facilitator", 200), meeting),
    Row("facilitator_paper_pdf", by_link("facilitator", 200), lambda cast: [*meeting(cast), "nl"]),
    Row("facilitator_paper_new", by_link("facilitator", 302), meeting, "post"),
    Row("facilitator_paper_again", by_link("facilitator", 302), meeting, "post"),
    Row("facilitator_paper_add", by_link("facilitator", 302), meeting, "post"),
    Row("facilitator_paper_handed_in", by_link("facilitator", 302), meeting, "post", {"handed_in": 2}),
    Row("facilitator_paper_form", by_link("facilitator", 200), paper_of_meeting),
    Row("facilitator_paper_throw", by_link("facilitator", 302), paper_of_meeting, "post"),
    # ---------------------------------------------------------------- researchers: studies and set-up
    Row("studies", only(("alice", "bob", "admin"), 200)),
    Row("groups", only(("admin",), 200)),
    Row("groups", only(("admin",), 302), method="post", data={"name": "Zuid"}),
    Row("group", only(("admin",), 200), group),
    Row("group_rename", only(("admin",), 302), group, "post", {"rename-name": "Oost"}),
    Row("group_asked_remove", only(("admin",), 302), of_asked_by_group, "post"),
    Row("member_everywhere", only(("admin",), 302), of_member, "post"),
    Row("member_remove", only(("admin",), 302), of_member, "post"),  # alice stays: her study has nobody else
    Row("study_new", only(("alice", "bob", "admin"), 200)),
    Row("questionnaires", only(RESEARCHERS, 200)),
    Row("questionnaire_new", only(RESEARCHERS, 200)),
    Row("questionnaire_import", only(RESEARCHERS, 200)),
    Row("questionnaire_templates", only(RESEARCHERS, 200)),
    Row("questionnaire_templates", only(RESEARCHERS, 200), method="post"),
    Row("questionnaire_offer", researchers(302), questionnaire, "post"),
    Row("questionnaire_edit", researchers(200), questionnaire),
    Row("questionnaire_edit", researchers(302), questionnaire, "post"),
    Row("questionnaire_change", researchers(302), questionnaire, "post"),
    Row("questionnaire_preview", researchers(200), questionnaire),
    Row("preview_screen", researchers(200), lambda cast: [*questionnaire(cast), 0, "nl", 1]),
    Row("preview_screen", researchers(302), lambda cast: [*questionnaire(cast), 0, "nl", 1], "post"),
    Row("questionnaire_versions", researchers(200), questionnaire),
    Row("questionnaire_version", researchers(200), lambda cast: [*questionnaire(cast), 1]),
    Row("version_file", researchers(200), lambda cast: [*questionnaire(cast), 1, "yaml"]),
    Row("open_texts", researchers(200), slug),
    Row("open_texts_file", researchers(200), slug),
    Row("open_text_review", researchers(302), slug, "post"),
    Row("study_settings", researchers(200), slug),
    Row("study_delete", researchers(302), slug),  # asked for the password or second factor first
    Row("study_delete", researchers(302), slug, "post"),
    Row("deleted_studies", only(RESEARCHERS, 200)),
    Row("person_remove", only(RESEARCHERS, 302)),
    Row("person_remove", only(RESEARCHERS, 302), method="post"),
    Row("study_people", researchers(200), slug),
    Row("study_person_remove", researchers(302), of_role, "post"),
    Row("study_asked_remove", researchers(302), of_asked, "post"),
    Row("study_history", researchers(200), slug),
    Row("teams", researchers(200), slug),
    Row("mails", researchers(200), slug),
    Row("mail_hours", researchers(302), slug, "post", {"own": ""}),
    Row(
        "mail_reminders",
        researchers(302),
        lambda cast: [cast.study.slug, "director"],
        "post",
        {"director-after_days": 7, "director-times": 2},
    ),
    Row("mail_reminders", only((), 404), lambda cast: [cast.study.slug, "teacher"], "post"),
    Row("mail_text", researchers(200), lambda cast: [cast.study.slug, "teams.director_invitation"]),
    Row("mail_text", only((), 404), lambda cast: [cast.study.slug, "teams.researcher_added"]),
    Row("mail_messages", researchers(200), slug),
    Row("mail_resend_all", researchers(302), lambda cast: [cast.study.slug], "post"),
    Row("mail_resend", researchers(302), lambda cast: [cast.study.slug, cast.study.mails.first().pk], "post"),
    Row("academy_new", researchers(200), slug),
    Row("academy_edit", researchers(200), lambda cast: [cast.study.slug, cast.academy.pk]),
    Row("team_new", researchers(200), slug),
    Row("team_edit", researchers(200), of_team),
    Row("team_history", researchers(200), of_team),
    Row("team_reshape", researchers(200), of_team),
    Row("team_merge", researchers(200), of_two_teams),
    Row("team_split", researchers(200), of_team),
    Row("leader_let_in", researchers(302), of_unled_team, "post"),
    Row("wave_hand_over", researchers(302), of_later_wave, "post"),
    Row("contacts_import", researchers(200), slug),
    Row("contacts_example", researchers(200), slug),
    Row("mail_domains", researchers(200), slug),
    Row("mail_domain_remove", researchers(302), lambda cast: [cast.study.slug, mail_domain(cast).pk], "post"),
    Row("duplicates", researchers(200), slug),
    Row(
        "merge",
        researchers(200),
        lambda cast: [cast.study.slug, "team", cast.participation.team_id, cast.online.team_id],
    ),
    Row("invite_directors", researchers(302), slug, "post"),
    Row(
        "invitation_remind",
        researchers(302),
        lambda cast: [cast.study.slug, cast.leader_invitation.pk],
        "post",
    ),
    Row(
        "invitation_reissue",
        researchers(302),
        lambda cast: [cast.study.slug, cast.leader_invitation.pk],
        "post",
    ),
    Row(
        "invitation_withdraw",
        researchers(302),
        lambda cast: [cast.study.slug, cast.participation.invitation.pk],
        "post",
        {"withdraw-reason": "workload"},
    ),
    # ---------------------------------------------------------------- researchers: collecting
    Row("questionnaire_choose", researchers(200), slug),
    Row("collecting", researchers(200), slug),
    Row("collecting_open", researchers(302), slug, "post"),
    Row("collecting_team", researchers(200), of_team),
    Row("collecting_close", researchers(302), of_team, "post"),
    Row("collecting_reopen", researchers(302), of_team, "post"),
    Row("collecting_seal", researchers(302), of_team, "post"),
    Row(
        "collecting_links",
        researchers(302),
        of_online_team,
        "post",
        {"addresses": "ine@noord.example", "seen": "ine@noord.example", "send": "1"},
    ),
    Row("collecting_paper", researchers(200), of_team),
    Row("collecting_paper_pdf", researchers(200), lambda cast: [*of_team(cast), "en"]),
    Row("collecting_paper_new", researchers(302), of_team, "post"),
    Row("collecting_paper_again", researchers(302), of_team, "post"),
    Row("collecting_paper_add", researchers(302), of_team, "post"),
    Row("collecting_paper_back", researchers(302), of_team, "post"),
    Row("collecting_paper_handed_in", researchers(302), of_team, "post", {"handed_in": 2}),
    Row("collecting_paper_form", researchers(200), paper_of_team),
    Row("collecting_paper_correct", researchers(302), paper_of_team),
    Row("collecting_paper_throw", researchers(302), paper_of_team, "post"),
    Row("address_lists", researchers(200), slug),
    Row(
        "address_list_ask",
        researchers(302),
        lambda cast: [mail_domain(cast) and cast.study.slug, cast.academy.pk],
        "post",
        {"name": "Kim", "email": "kim@noord.example"},
    ),
    Row("address_list_admin", only(("admin",), 200), lambda cast: [cast.study.slug, cast.academy.pk]),
    Row("meeting_texts", researchers(200), slug),
    Row("reminder_rounds", researchers(200), slug),
    Row("reminder_round_drop", researchers(302), lambda cast: [cast.study.slug, 0], "post"),
    Row("collecting_present", researchers(302), of_team, "post", {"present": 9}),
    Row("collecting_slips", researchers(200), of_team, "post", {"n": 3}),
    Row("collecting_slips_end", researchers(302), of_team, "post"),
    Row("collecting_new_key", researchers(302), of_team, "post"),
    Row("collecting_remind", researchers(302), of_online_team, "post"),
    Row("collecting_facilitator", researchers(302), of_team, "post"),
    Row("collecting_renew", researchers(302), of_team, "post"),
    # ---------------------------------------------------------------- researchers: team meetings
    Row("meetings", researchers(200), slug),
    Row("meeting", researchers(200), of_team),
    Row("calendar_feed_change", researchers(302), slug, "post"),
    Row("slot_withdraw", researchers(302), of_slot, "post"),
    Row("calendar_feed", everyone(404), lambda cast: ["forged"]),
    Row("calendar_feed", everyone(200), of_feed),
    # ---------------------------------------------------------------- researchers: analysis
    Row("board", researchers(200), slug),
    Row("accounts", researchers(200), slug),
    Row("accounts_flow", researchers(200), slug),
    Row("accounts_csv", researchers(200), slug),
    Row("accounts_xlsx", researchers(200), slug),
    Row("account_counts", researchers(200), of_team),
    Row("plan", researchers(200), slug),
    Row("plan_amend", researchers(200), slug),
    Row("plan_document", researchers(200), lambda cast: [cast.study.slug, 1]),
    Row("plan_json", researchers(200), lambda cast: [cast.study.slug, 1]),
    Row("survey_open", researchers(302), slug, "post"),
    Row("runs", researchers(200), slug),
    Row("run_new", researchers(302), slug, "post"),
    Row("run", researchers(200), of_run),
    Row("run_cancel", researchers(302), of_run, "post"),
    Row("decisions", researchers(200), slug),
    Row("decision_undo", researchers(302), of_decision, "post"),
    Row("results", researchers(200), slug),
    Row("result_teams", researchers(200), slug),
    Row("result_groups", researchers(200), slug),
    Row("result_waves", researchers(200), slug),
    Row("nonresponse", researchers(200), slug),
    Row("nonresponse_csv", researchers(200), of_finished_run),
    Row("nonresponse_xlsx", researchers(200), of_finished_run),
    Row("composition", researchers(200), of_question),
    Row("composition", researchers(302), of_question, method="post", data={"remove": "1"}),
    Row("items", researchers(200), slug),
    Row("screening", researchers(200), slug),
    Row("figure", researchers(200), of_figure),
    Row("models", researchers(200), slug),
    Row("factor_model", researchers(200), of_factor_model),
    Row("model_figure", researchers(200), lambda cast: [*of_factor_model(cast), "svg"]),
    Row("model_remove", researchers(302), of_own_model, method="post"),
    Row("cases", researchers(200), slug),
    Row("case", researchers(200), of_team),
    Row("export_results", researchers(200), of_finished_run),
    Row("results_release", researchers(302), slug, "post"),
    Row("export_all_results", researchers(200), of_result_release),
    Row("study_employment", researchers(200), slug),
    Row("write_up", researchers(200), slug),
    Row("exports", researchers(200), slug),
    Row("release_file", researchers(200), of_release),
    Row("release_prepare", researchers(302), of_release, "post"),
    Row("codebook", researchers(200), slug),
    Row("export_ddi", researchers(200), slug),
    Row("export_codebook", researchers(200), slug),
    Row("responses_import", researchers(200), slug),
    Row("publish", researchers(200), slug),
    Row("publish", researchers(302), slug, "post"),  # nothing to publish yet, and the page says so
    Row("report_preview", researchers(302), of_team),  # no run yet: on to the runs
    Row("academy_preview", researchers(302), lambda cast: [cast.study.slug, cast.academy.pk]),
    Row("study_preview", researchers(302), slug),
    Row("study_preview_pdf", only((), 404), slug),  # nothing published yet
    Row("study_preview_tables", only((), 404), slug),
    Row("units_combine", researchers(302), slug, "post"),
    Row("unit_separate", researchers(302), of_unit, "post"),
    Row("study_share", only((), 404), slug, "post", {"days": 30}),
    Row("report_link_revoke", researchers(302), of_study_link, "post"),
    Row("report_link_renew", only((), 404), of_study_link, "post"),  # only a director's link is mailed
    Row("accept_counts", researchers(302), of_team, "post", {"reason": "counted again"}),
    # ---------------------------------------------------------------- team leaders
    Row("team", carol(200), team),
    Row("team_meeting", carol(200), team),
    Row("team_links", carol(200), team, "post", {"addresses": "no address"}),
    Row("team_report", carol(200), team),
    Row("team_report_pdf", only((), 404), team),  # nothing published yet
    Row("team_report_tables", only((), 404), team),
    Row("team_slides", only((), 404), team),
    Row("team_talk", only((), 404), team),
    Row("team_look_back", only((), 404), team),
    Row("team_look_back_day", only((), 404), team, "post", {"on": ""}),
    Row("team_share", only((), 404), team, "post", {"days": 14}),
    Row("team_hand_over", carol(302), lambda cast: of_later_wave(cast)[1:], "post"),
    Row("team_share_revoke", carol(302), lambda cast: [cast.participation.pk, cast.report_link.pk], "post"),
    # ---------------------------------------------------------------- readers of reports, by link
    Row("look_back_link", everyone(404), lambda cast: ["forged"]),
    # who may write by such a link: tests/analysis/looking_back/test_page.py
    Row("look_back", everyone(404), lambda cast: [1]),
    Row("look_back_leave", everyone(404), lambda cast: [1], "post"),
    Row("report_link", everyone(404), lambda cast: ["forged"]),
    Row("report_link", everyone(302), lambda cast: token_of(cast.links["reader"])),
    Row("shared_report", by_link("reader", 200), lambda cast: [cast.report_link.pk]),
    Row("shared_talk", everyone(404), lambda cast: [cast.report_link.pk]),  # nothing published yet
    Row("shared_report_pdf", everyone(404), lambda cast: [cast.report_link.pk]),
    Row("shared_report_tables", everyone(404), lambda cast: [cast.report_link.pk]),
    Row("shared_slides", everyone(404), lambda cast: [cast.report_link.pk]),
]


def addresses() -> Iterator[URLPattern]:
    def walk(patterns: list[Any]) -> Iterator[URLPattern]:
        for pattern in patterns:
            if isinstance(pattern, URLPattern):
                yield pattern
            else:
                yield from walk(pattern.url_patterns)

    return walk(get_resolver().url_patterns)


def judged(response: HttpResponse) -> int | str:
    if response.status_code == 302 and response.headers["Location"].startswith(reverse("account_login")):
        return LOGIN
    return response.status_code


@pytest.fixture(scope="module")
def cast(django_db_setup: None, django_db_blocker: Any) -> Iterator[Cast]:
    """Made once, in a transaction around all tests of this module; what each of them changes is rolled back after it."""
    with django_db_blocker.unblock():
        around = transaction.atomic()
        around.__enter__()
        yield make_cast()
        transaction.set_rollback(True)
        around.__exit__(None, None, None)


@pytest.fixture
def folders_of_their_own() -> None:
    """The keys of the cast's collections lie in one folder for all tests of this module."""


@pytest.mark.parametrize("row", TABLE, ids=str)
def test_permission(row: Row, cast: Cast) -> None:
    path = reverse(row.name, args=row.arguments(cast))
    # whoever may do something comes last: it may change what the others would see
    order = sorted(ROLES, key=lambda role: row.expected[role] not in (404, LOGIN))
    statuses = {role: judged(getattr(cast.client(role), row.method)(path, row.data)) for role in order}
    assert statuses == row.expected


@pytest.mark.parametrize("row", [row for row in TABLE if row.method == "post"], ids=str)
def test_what_changes_things_is_no_get(row: Row, cast: Cast) -> None:
    if row.name in {other.name for other in TABLE if other.method == "get"}:
        return  # a form that is shown by GET and sent by POST
    path = reverse(row.name, args=row.arguments(cast))
    for role in ROLES:
        response = cast.client(role).get(path)
        assert judged(response) in (405, LOGIN), f"{role} gets {response.status_code}"


@pytest.mark.parametrize("row", TABLE, ids=str)
def test_what_an_account_sees_is_not_stored(row: Row, cast: Cast) -> None:
    path = reverse(row.name, args=row.arguments(cast))
    may = [role for role in ACCOUNTS if row.expected[role] not in (404, 405)]
    if not may or path.startswith("/a/"):
        return  # nothing but "not found"; the teacher's pages know no account
    response = getattr(cast.client(may[0]), row.method)(path, row.data)
    assert "no-store" in response.headers.get("Cache-Control", ""), response.headers


@pytest.mark.parametrize("row", TABLE, ids=str)
def test_what_a_link_shows_is_not_stored(row: Row, cast: Cast) -> None:
    """Nor what a visitor sees who has no account: only what is the same for everybody may be kept (SAME_FOR_ALL)."""
    may = [role for role in ROLES if role not in ACCOUNTS and row.expected[role] not in (404, 405, LOGIN)]
    if not may or row.name in SAME_FOR_ALL:
        return
    path = reverse(row.name, args=row.arguments(cast))
    for role in may:
        response = getattr(cast.client(role), row.method)(path, row.data)
        assert "no-store" in response.headers.get("Cache-Control", ""), (role, response.headers)


HELP = re.compile(rb'<a class="btn btn-link" href="(/help/[^"]*)">')


@pytest.mark.parametrize("row", [row for row in TABLE if row.method == "get"], ids=str)
def test_a_page_with_a_header_leads_to_the_help_that_is_its_own(row: Row, cast: Cast) -> None:
    """By one mapping (config/handbook/places.py); which of its anchors are there: tests/config/test_handbook.py."""
    role = next((role for role in ROLES if row.expected[role] == 200), None)
    if role is None:
        return
    page = cast.client(role).get(reverse(row.name, args=row.arguments(cast)), row.data)
    if page.streaming or b'<header class="site-header' not in page.content:
        return  # a file, a part of a page, or a page of teachers
    where = place(row.name)
    assert where is not None or row.name in OF_NOBODY, "no section of the handbook explains this page"
    expected = reverse("handbook", args=[where[0]]) + f"#{where[1]}" if where else reverse("help")
    match = HELP.search(page.content)
    assert match
    assert match[1].decode() == expected


def test_every_address_is_in_the_table() -> None:
    names = {pattern.name for pattern in addresses()}
    table = {row.name for row in TABLE}
    assert None not in names, "every address has a name"
    assert names - table == set(), "addresses that are missing from the table"
    assert table - names == set(), "rows of addresses that are no more"


def test_public_views_say_so_and_others_demand_a_sign_in() -> None:
    """Public is marked at the view (login_not_required); what the table opens to anyone must be marked, and nothing else."""
    by_name: dict[str | None, Any] = {}
    for pattern in addresses():
        by_name.setdefault(pattern.name, pattern.callback)  # the first match counts
    for row in TABLE:
        public = row.expected["anyone"] != LOGIN or row.name in BEFORE_SIGN_IN
        marked = getattr(by_name[row.name], "login_required", True) is False
        assert marked == public, f"{row.name} is {'not ' if public else ''}marked as public"


def test_only_pages_with_a_protection_of_their_own_take_forms_without_token(cast: Cast) -> None:
    """Below /a/: the response key in the body, with Origin (tests/surveys/test_devices.py); a mail provider's secret; the token
    of the address where a mail program unsubscribes by one press; a preview, which keeps nothing."""
    below_a = {pattern.name for pattern in answer_urls.urlpatterns}
    exempt = {
        pattern.name
        for pattern in addresses()
        if getattr(pattern.callback, "csrf_exempt", False) and pattern.name not in below_a
    }
    assert exempt == {"mail_events", "no_mails", "no_reminders", "preview_screen"}
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.get(email=cast.emails["alice"]))
    for row in (row for row in TABLE if row.method == "post" and row.name not in below_a | exempt):
        with transaction.atomic():
            assert client.post(reverse(row.name, args=row.arguments(cast)), row.data).status_code in (403, 405), row
            transaction.set_rollback(True)
