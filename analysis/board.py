"""What waits for the researcher: the next step of a study, and what went wrong. Reads, never writes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analysis import disclosure
from analysis.looking_back import dates
from analysis.models import AnalysisRun, EarlyPicture, Publication
from analysis.plan.plans import locked_plan
from analysis.publication.publishing import is_empty
from analysis.reports.groups import counted_groups
from analysis.reports.sentences import hold_text
from analysis.troubles import troubles
from surveys.collecting import agenda, listing
from surveys.collecting.collections import OPENING, not_open
from surveys.collecting.paper_counts import with_paper_left
from surveys.models import Collection, Survey
from teams.mail import listing as mail_listing
from teams.models import Invitation, Job, Participation, Study
from teams.studies import retention

LAST_DAYS = 14  # of the study, in which teams with too few answers are named


@dataclass(frozen=True)
class Step:
    """One step of a study from beginning to end."""

    text: str
    url: str
    done: bool


@dataclass(frozen=True)
class Waiting:
    """One thing that needs the researcher, with the page where it is dealt with."""

    text: str
    url: str
    urgent: bool = False


def steps(study: Study) -> list[Step]:
    """The way from a new study to published reports, and how far it has come."""
    survey = Survey.objects.filter(study=study).first()
    collections = Collection.objects.filter(survey__study=study)
    unsealed = collections.exclude(state=Collection.State.SEALED)
    invited = Invitation.objects.filter(study=study).exclude(state=Invitation.State.LISTED).exists()
    slug = study.slug
    return [
        Step(_("Choose the questionnaire"), reverse("questionnaire_choose", args=[slug]), survey is not None),
        Step(
            _("Add academies and teams"),
            reverse("teams", args=[slug]),
            Participation.objects.filter(study=study).exists(),
        ),
        Step(_("Invite the directors"), reverse("teams", args=[slug]), invited),
        Step(
            _("Lock the plan and open the questionnaire"),
            reverse("plan", args=[slug]),
            bool(survey and survey.opened_at),
        ),
        Step(
            _("Collect the answers"),
            reverse("collecting", args=[slug]),
            collections.exists() and not unsealed.exists(),
        ),
        Step(_("Analyse"), reverse("runs", args=[slug]), _last_done(study) is not None),
        Step(
            _("Publish the reports"), reverse("publish", args=[slug]), Publication.objects.filter(study=study).exists()
        ),
    ]


def looked_back(study: Study) -> str:
    """How many teams looked back at what they agreed: all that researchers learn of it. Empty before reports are published."""
    if not Publication.objects.filter(study=study).exists():
        return ""
    n, of = dates.counted(study)
    return ngettext(
        "%(n)s of %(of)s team looked back at what it agreed.",
        "%(n)s of %(of)s teams looked back at what they agreed.",
        of,
    ) % {"n": n, "of": of}


def waiting(study: Study) -> list[Waiting]:
    """What waits for the researcher today, most urgent first."""
    return sorted(_waiting(study), key=lambda item: not item.urgent)


def _waiting(study: Study) -> Iterator[Waiting]:
    if retention.is_over(study):
        yield Waiting(
            _("The answers could be kept until %(date)s, and that day has passed. Delete the study.")
            % {"date": date_format(retention.promised_until(study))},
            reverse("study_delete", args=[study.slug]),
            urgent=True,
        )
    for text, page in troubles(study):
        yield Waiting(text, page, urgent=True)
    teams, runs = reverse("teams", args=[study.slug]), reverse("runs", args=[study.slug])
    declined = Invitation.objects.filter(study=study, state=Invitation.State.DECLINED).count()
    if declined:
        yield Waiting(
            ngettext("%(n)s invitation was declined", "%(n)s invitations were declined", declined) % {"n": declined},
            teams,
        )
    open_ = Invitation.objects.filter(study=study, state=Invitation.State.SENT).count()
    if open_:
        yield Waiting(
            ngettext("%(n)s invitation has no answer yet", "%(n)s invitations have no answer yet", open_)
            % {"n": open_},
            teams,
        )
    failed_mail = mail_listing.undelivered(study).count()
    if failed_mail:
        yield Waiting(
            ngettext("%(n)s email could not be delivered", "%(n)s emails could not be delivered", failed_mail)
            % {"n": failed_mail},
            f"{reverse('mail_messages', args=[study.slug])}?state=undelivered",
            urgent=True,
        )
    deferred = mail_listing.deferred(study).count()
    if deferred:
        yield Waiting(
            ngettext("%(n)s email is tried again later", "%(n)s emails are tried again later", deferred)
            % {"n": deferred},
            f"{reverse('mail_messages', args=[study.slug])}?state=deferred",
        )
    asked = Invitation.objects.filter(study=study, state__in=[Invitation.State.SENT, Invitation.State.ACCEPTED])
    nobody = asked.filter(Q(academy__director_email="") | Q(participation__leader_email="")).count()
    if nobody:  # the person was removed
        yield Waiting(
            ngettext(
                "%(n)s academy or team no longer has a director or leader: name somebody",
                "%(n)s academies or teams no longer have a director or leader: name somebody",
                nobody,
            )
            % {"n": nobody},
            teams,
            urgent=True,
        )
    yield from _about_opening(study)
    yield from _about_collecting(study)
    run = AnalysisRun.objects.filter(survey__study=study).first()
    if run and run.state == AnalysisRun.State.FAILED:
        yield Waiting(_("The last analysis failed"), runs, urgent=True)
    reported = Publication.objects.filter(study=study, published_at__gt=OuterRef("made_at"))
    failed = EarlyPicture.objects.filter(~Exists(reported), study=study, state=EarlyPicture.State.FAILED).count()
    if failed:
        yield Waiting(
            ngettext(
                "The figures of %(n)s team could not be made for its meeting: what can be shown of it comes in the report",
                "The figures of %(n)s teams could not be made for their meetings: what can be shown of them comes in the report",
                failed,
            )
            % {"n": failed},
            reverse("collecting", args=[study.slug]),
            urgent=True,
        )
    done = _last_done(study)
    if done:
        yield from _about_run(study, done)


def _about_opening(study: Study) -> Iterator[Waiting]:
    """A plan that was locked for a survey that did not open, and teams that take part and have nothing open."""
    opened = Survey.objects.filter(study=study).values_list("opened_at", flat=True).first()
    if opened is None and locked_plan(study) is not None:
        yield Waiting(
            _("The plan is locked, but the questionnaire is not open: open it"),
            reverse("plan", args=[study.slug]),
            urgent=True,
        )
    failed = Job.objects.filter(kind=OPENING.kind, study=study).exclude(error="").values_list("key", flat=True)
    missing = not_open(study).exclude(pk__in=[int(key) for key in failed]).count()  # those are among the troubles
    if missing:
        yield Waiting(
            ngettext(
                "%(n)s team takes part, but its questionnaire is not open yet",
                "%(n)s teams take part, but their questionnaire is not open yet",
                missing,
            )
            % {"n": missing},
            reverse("collecting", args=[study.slug]) + "?state=not_open",
            urgent=True,
        )


def _about_collecting(study: Study) -> Iterator[Waiting]:
    """Meetings that nobody leads or that wait for a date, and teams too small for a report with few days left."""
    meetings = reverse("meetings", args=[study.slug])
    today = timezone.localdate()
    nobody = agenda.nobody_leads(study).count()
    taking_part = Participation.objects.filter(study=study, state=Participation.State.ACCEPTED)
    nobody += taking_part.filter(
        mode=Participation.Mode.CONTACT, meets_on__gte=today, contact_email="", planned__isnull=True
    ).count()
    if nobody:
        yield Waiting(
            ngettext(
                "%(n)s team meeting has no contact person to lead it",
                "%(n)s team meetings have no contact person to lead them",
                nobody,
            )
            % {"n": nobody},
            meetings + "?show=coming",
            urgent=True,
        )
    proposed = agenda.proposed_by_leaders(study).count()
    if proposed:
        yield Waiting(
            ngettext(
                "%(n)s team leader proposes dates for the team meeting",
                "%(n)s team leaders propose dates for the team meeting",
                proposed,
            )
            % {"n": proposed},
            meetings,
        )
    paper = with_paper_left(study).count()
    if paper:
        yield Waiting(
            ngettext(
                "%(n)s team has paper forms that have not been entered twice: its answers cannot be sealed",
                "%(n)s teams have paper forms that have not been entered twice: their answers cannot be sealed",
                paper,
            )
            % {"n": paper},
            reverse("collecting", args=[study.slug]),
            urgent=True,
        )
    days_left = (study.ends_on - today).days
    if 0 <= days_left <= LAST_DAYS:
        small = listing.small(study).count()
        if small:
            yield Waiting(
                ngettext(
                    "%(n)s team has fewer than %(k)s answers, and the study ends on %(date)s",
                    "%(n)s teams have fewer than %(k)s answers, and the study ends on %(date)s",
                    small,
                )
                % {"n": small, "k": study.k, "date": date_format(study.ends_on)},
                reverse("collecting", args=[study.slug]) + "?state=small",
                urgent=True,
            )


def _about_run(study: Study, run: AnalysisRun) -> Iterator[Waiting]:
    publish = reverse("publish", args=[study.slug])
    groups = counted_groups(run)
    verdicts = Counter(verdict.reason for group in groups if (verdict := disclosure.judge_group(group, study.k)))
    small = verdicts[disclosure.Reason.TOO_FEW]
    holds = Counter(hold for group in groups for team in group.holds(study.k) for hold in team)
    for hold in disclosure.Hold:
        if n := holds[hold]:
            waits = ngettext(
                "The report of %(n)s team is waiting for your decision.",
                "The reports of %(n)s teams are waiting for your decision.",
                n,
            ) % {"n": n}
            yield Waiting(f"{waits} {hold_text(hold, study.k)}", publish, urgent=True)
    if small:
        yield Waiting(
            ngettext("%(n)s team has fewer than %(k)s answers", "%(n)s teams have fewer than %(k)s answers", small)
            % {"n": small, "k": study.k},
            publish,
        )
    if not is_empty(run) and not Publication.objects.filter(run=run).exists():
        yield Waiting(_("The last analysis is not published"), publish)


def _last_done(study: Study) -> AnalysisRun | None:
    return AnalysisRun.objects.last_done(study.pk)
