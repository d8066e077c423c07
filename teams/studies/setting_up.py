"""Setting up a study: who creates it becomes its researcher, and may let others in; what invited people were told cannot
change any more.

Who works in a study is a member of the research group that owns it; who joins a study is told to those who work in it.
"""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.text import slugify

from teams import history
from teams.mail import outbox
from teams.mail.kinds import TeamMail
from teams.models import Membership, Notice, ResearcherInvitation, ResearchGroup, Role, Study, User
from teams.studies.retention import counted_until

RESERVED = {"new", "deleted"}
LINK_DAYS = 90  # a link opens so long after the mail that brought it, and at least until the study ends
# What somebody invited, a teacher or a reader of results read: fixed from the first of them on
PROMISED = ("k", "report_days", "slips", "retention_years", "controller", "legal_basis")


# What other apps say has to be done before anybody is mailed about a study: each gives a sentence, or nothing
NOT_YET: list[Callable[[Study], str]] = []


class NotYet(Exception):
    """Why nobody can be invited yet, in a sentence."""


class OtherGroup(Exception):
    """Two things of different research groups: no form offers this, and no step does it."""


def create_study(fields: dict[str, Any], by: User) -> Study:
    """Create a study from validated fields, with a short name made from its title.

    Its creator is its researcher, and so is who works in all studies of its ``group``.

    Raises:
        OtherGroup: if the wave before is a study of another group.
    """
    group: ResearchGroup = fields["group"]
    _same_group(fields.get("previous"), group.pk)
    base = slugify(fields["title"])[:40] or "study"
    for number in range(1, 100):
        slug = base if number == 1 else f"{base}-{number}"
        if slug in RESERVED or Study.objects.filter(slug=slug).exists():
            continue
        try:
            with transaction.atomic():
                study = Study.objects.create(slug=slug, **fields)
                let_work(study, by)
                history.record(study, history.Happened.STUDY_CREATED, by=by)
                for member in group.memberships.filter(all_studies=True).exclude(user=by).select_related("user"):
                    work_in(study, member.user, by)
        except IntegrityError:  # somebody took the name in between: the constraint decides who was first
            if Study.objects.filter(slug=slug).exists():
                continue
            raise
        return study
    raise ValueError("No short name is left for this title.")


@transaction.atomic
def change_settings(study: Study, fields: dict[str, Any], by: User) -> list[str]:
    """Write the changed settings and record which; a promised one keeps its value. Returns the names that changed."""
    before = Study.objects.select_for_update().get(pk=study.pk)  # who invites or publishes at once waits, or was first
    if before.promised_on is not None:
        fields = {name: value for name, value in fields.items() if name not in PROMISED}
    _same_group(fields.get("previous"), before.group_id)
    changed = [name for name, value in fields.items() if getattr(before, name) != value]
    if changed:
        values = {name: fields[name] for name in changed}
        if before.kept_until is not None and "ends_on" in values:
            before.ends_on = values["ends_on"]
            values["kept_until"] = min(before.kept_until, counted_until(before))
        Study.objects.filter(pk=study.pk).update(**values)
        history.record(study, history.Happened.SETTINGS_CHANGED, by=by, detail=", ".join(changed))
    return changed


def promises_made(study: Study) -> bool:
    """Whether anybody was invited or anything was published: then k, the days until the teachers' report, who is responsible
    on which legal basis, and until when answers are kept were promised.
    """
    return Study.objects.filter(pk=study.pk, promised_on__isnull=False).exists()


def promise(study: Study) -> None:
    """From here on what is promised stays: called in the transaction that invites, opens a collection or publishes."""
    # its last day may be changing; no key: who only names the study, such as another leader who accepts, need not wait
    now = Study.objects.select_for_update(no_key=True).get(pk=study.pk)
    if now.promised_on is None:
        until = counted_until(now)
        Study.objects.filter(pk=study.pk).update(promised_on=timezone.localdate(), kept_until=until)


def why_not_yet(study: Study) -> str:
    """Why nobody can be invited yet; nothing where the study is ready for it."""
    return next((why for reason in NOT_YET if (why := reason(study))), "")


def link_until(study: Study) -> date:
    """The last day of a link that is mailed today."""
    return max(study.ends_on, timezone.localdate() + timedelta(days=LINK_DAYS))


def researchers_of(study: Study) -> QuerySet[Role]:
    """Who may work in a study, by name."""
    return (
        Role.objects.filter(study=study, kind=Role.Kind.RESEARCHER).select_related("user").order_by("user__name", "pk")
    )


@transaction.atomic
def let_work(study: Study, user: User) -> tuple[Role, bool]:
    """Make somebody a researcher of a study, and with that a member of its group. Whether they were none before."""
    hold(study.group_id)
    Membership.objects.get_or_create(group_id=study.group_id, user=user)
    return Role.objects.get_or_create(user=user, kind=Role.Kind.RESEARCHER, study=study)


def hold(group_id: int) -> None:
    """What belongs to a group changes one at a time: a membership that ends does not meet work that begins, a file does not meet
    another."""
    ResearchGroup.objects.select_for_update(no_key=True).get(pk=group_id)


def work_in(study: Study, user: User, by: User) -> bool:
    """Let an account work in the study, and tell them and those who work in it. False if they do already."""
    role, created = let_work(study, user)
    if created:
        event = history.record(study, history.Happened.RESEARCHER_ADDED, by=by, detail=user.email)
        outbox.queue(TeamMail.RESEARCHER_ADDED, role.pk, study=study)
        for other in researchers_of(study).exclude(user=user):  # who let them in too: it may have been another hand
            notice = Notice.objects.create(event=event, user=other.user)
            outbox.queue(TeamMail.RESEARCHER_JOINED, notice.pk, study=study)
    return created


@transaction.atomic
def remove_researcher(role: Role, by: User) -> bool:
    """End somebody's work in a study. The account stays; a membership of the group that came with this study ends too.

    Returns:
        False, with nothing changed, for the last researcher: a study is never left without one.
    """
    assert role.study is not None
    hold(role.study.group_id)
    study = Study.objects.select_for_update().get(pk=role.study.pk)  # of two who remove each other, one stays
    if researchers_of(study).exclude(pk=role.pk).count() == 0:
        return False
    deleted, _ = Role.objects.filter(pk=role.pk).delete()
    if deleted:
        history.record(study, history.Happened.RESEARCHER_REMOVED, by=by, detail=role.user.email)
        ResearcherInvitation.objects.filter(
            study=study, invited_by=role.user_id
        ).delete()  # nobody asks on their behalf
        Membership.objects.filter(group=study.group_id, user=role.user_id).update(all_studies=False)
        end_membership(study.group_id, role.user)
    return bool(deleted)


def end_membership(group_id: int, user: User) -> None:
    """End a membership that no administrator made, if nothing is left of the work in studies with which it came."""
    if not Role.objects.filter(user=user, kind=Role.Kind.RESEARCHER, study__group=group_id).exists():
        Membership.objects.filter(group=group_id, user=user, by_administrator=False).delete()


def _same_group(previous: Study | None, group: int) -> None:
    if previous is not None and previous.group_id != group:
        raise OtherGroup("The wave before is a study of another group.")
