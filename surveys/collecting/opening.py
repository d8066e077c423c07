"""Opening many teams: a batch gets its keys first, on the disk, and then in one transaction its collections, meetings and mails.

No lock is held while the keys are written. A program that dies leaves whole batches, or a batch that is not open and keys that
fit nothing; opening again (collections.py) does the rest.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterable, Sequence

from django.db import IntegrityError, transaction
from django.db.models import prefetch_related_objects

from surveys.keys import collection_keys
from surveys.linking import personal_links
from surveys.models import Collection, Meeting, Survey
from teams.links import new_nonce
from teams.mail import outbox
from teams.mail.kinds import MailKind
from teams.meetings import planning
from teams.models import Participation, Study
from teams.studies.setting_up import promise

BATCH = 500  # teams in a transaction: it lasts a fraction of a second, and whoever accepts meanwhile waits no longer
# 24 signs that no one confuses when read aloud or from a screen: of 0 O, 1 I L, 2 Z, 5 S, 6 G, 8 B none or one
CODE_SIGNS = "ACDEFGHJKMNPQRTUVWXY3479"
CODE_LENGTH = 6


def open_teams(
    study_id: int, teams: Sequence[int], mail: MailKind | None = None
) -> tuple[dict[int, Collection], dict[int, OSError]]:
    """Open the collections of teams (participations) of one study, as far as they still take part and have none.

    What a team said when it accepted is copied: the way of collecting and the number of teachers approached.

    Args:
        mail: what kind of mail each leader gets that it is open; None for none, as the leader is on the page.

    Returns:
        The collections that were made, and why a team's key could not be written, each by the number of the participation.
    """
    uids = {pk: uuid.uuid4() for pk in teams}
    unwritten = collection_keys.make_all(uids.values())
    failed = {pk: unwritten[uid] for pk, uid in uids.items() if uid in unwritten}
    having_keys = {pk: uid for pk, uid in uids.items() if pk not in failed}
    with transaction.atomic():
        try:
            made = _open(study_id, having_keys)
            if mail and made:  # as the team's page promised
                outbox.queue_many(mail, made, study=next(iter(made.values())).participation.study)
        except BaseException:
            for uid in having_keys.values():  # there will be no such collections
                collection_keys.destroy_of(uid)
            raise
    for pk, uid in having_keys.items():
        if pk not in made:  # somebody else opened it, or it takes part no longer
            collection_keys.destroy_of(uid)
    return made, failed


def _open(study_id: int, uids: dict[int, uuid.UUID]) -> dict[int, Collection]:
    # the teams' rows and then the study's, here as where a leader accepts: whoever accepts while the study opens is waited
    # for by who opens it, or finds it open
    locked = Participation.objects.select_for_update(no_key=True).filter(pk__in=uids, study=study_id)
    teams = list(locked.order_by("pk"))
    study = hold_opening(study_id)
    survey = Survey.objects.filter(study_id=study_id, opened_at__isnull=False).first()
    if survey is None:
        return {}
    known = set(Collection.objects.filter(participation__in=teams).values_list("participation", flat=True))
    part = [
        team
        for team in teams
        if team.state == Participation.State.ACCEPTED and team.approached is not None and team.pk not in known
    ]
    if not part:
        return {}
    for team in part:
        team.study = study
    collections = Collection.objects.bulk_create(
        Collection(
            survey=survey, participation=team, uid=uids[team.pk], mode=team.mode, approached=team.approached or 0
        )
        for team in part
    )
    promise(study)  # teachers read it from here on
    brief_all(make_meetings(collection for collection in collections if collection.mode in Participation.MEETING_MODES))
    return {collection.participation_id: collection for collection in collections}


def hold_opening(study_id: int) -> Study:
    """One at a time: who opens the study, and who begins to take part in it."""
    return Study.objects.select_for_update(no_key=True).get(pk=study_id)


# ------------------------------------------------------------------------------------------------ meetings
def brief_all(meetings: Iterable[Meeting]) -> None:
    """See that contact persons who lead get the link: two days before a meeting whose time is fixed, else now.

    Nobody else gets it: the leader, who reads the report, has no link to hand on.
    """
    meetings = list(meetings)
    later = planning.brief_later(meeting.collection.participation for meeting in meetings)
    now = [
        meeting
        for meeting in meetings
        if meeting.collection.participation_id not in later
        and meeting.collection.participation.mode == Participation.Mode.CONTACT
    ]
    prefetch_related_objects([meeting.collection.participation for meeting in now], "team__academy")
    personal_links.send_facilitator_links(now)


def make_meetings(collections: Iterable[Collection]) -> list[Meeting]:
    """Meetings of collections that have none, with codes of their own: the constraint says which code is taken, then others are
    drawn."""
    collections = list(collections)
    while True:
        codes = _draw_codes(len(collections))
        try:
            with transaction.atomic():
                return Meeting.objects.bulk_create(
                    Meeting(collection=collection, code=code, facilitator_nonce=new_nonce())
                    for collection, code in zip(collections, codes, strict=True)
                )
        except IntegrityError:
            if Meeting.objects.filter(collection__in=collections).exists():
                raise


def _draw_codes(n: int) -> list[str]:
    """So many different codes that nobody had when it looked."""
    codes: dict[str, None] = {}
    while len(codes) < n:
        drawn = {_draw_code() for _n in range(n - len(codes))}
        taken = set(Meeting.objects.filter(code__in=drawn).values_list("code", flat=True))
        codes.update(dict.fromkeys(drawn - taken))
    return list(codes)


def _draw_code() -> str:
    return "".join(secrets.choice(CODE_SIGNS) for _n in range(CODE_LENGTH))
