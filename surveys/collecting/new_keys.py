"""A lost key, and the way on: a new key and new personal links.

The key of a collection is in no backup, by design: whoever loses the machine loses it. Then no personal link and no slip opens
anything, and none can be sent. Answers stay: they stand under hashes that need no key of the collection. By whom they were
given cannot be told any more, so whoever answered with the old link could answer once more with the new one; what comes back
beyond the links that were sent holds the report (analysis/disclosure).
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from surveys.collecting.collections import NotReady
from surveys.collecting.counts import counts
from surveys.history import Happened
from surveys.keys import collection_keys
from surveys.linking import personal_links
from surveys.mail_kinds import SurveyMail
from surveys.models import Collection, Invitee, LinkSecret, Slip
from teams.base import sweeping
from teams.base.leases import Chore
from teams.history import record
from teams.mail import outbox
from teams.models import Participation, User

LOOKS = Chore("surveys.look_at_key")


@dataclass(frozen=True, slots=True)
class Consequences:
    """What a new key comes to, before it is made."""

    mailed: int  # holders of a link who get a new one
    without: int  # who asked for no mails, or was removed
    submitted: int
    drafts: int
    slips: int


def look() -> int:
    """Look at the key of every open collection, each by itself: what is lost is named on the board. Returns how many fit."""
    waiting = list(
        Collection.objects.filter(
            state=Collection.State.OPEN, sealing=False, participation__state=Participation.State.ACCEPTED
        ).select_related("survey")
    )
    LOOKS.forget_all_but(collection.pk for collection in waiting)
    return LOOKS.each(
        waiting, _fits, key=lambda collection: collection.pk, study=lambda collection: collection.survey.study_id
    )


def is_lost(collection: Collection) -> bool:
    """Whether an open collection has no key that can be read, or another than that of its links."""
    if collection.state != Collection.State.OPEN or collection.sealing:
        return False
    try:
        _fits(collection)
    except collection_keys.KeyDestroyed:
        return True
    return False


def consequences(collection: Collection) -> Consequences:
    """What a new key would come to now."""
    invitees, counted = Invitee.objects.filter(collection=collection), counts(collection)
    return Consequences(
        mailed=invitees.filter(opted_out=False).count(),
        without=invitees.filter(opted_out=True).count(),
        submitted=counted.submitted,
        drafts=counted.on_their_way,
        slips=Slip.objects.filter(collection=collection).count(),
    )


def renew(collection: Collection, by: User | None = None) -> int:
    """Make a new key and a new link for every holder of one, and mail it. The old nonces are gone. Returns how many are mailed.

    :raises NotReady: if the key is there and fits, if collecting is closed, or if the key cannot be written
    """
    try:
        with transaction.atomic():
            locked = Collection.objects.select_for_update(no_key=True).get(pk=collection.pk)
            if locked.state != Collection.State.OPEN or locked.sealing:
                raise NotReady(_("Collecting has closed: links would open nothing. The answers stay and are sealed."))
            if not is_lost(locked):
                raise NotReady(_("The key is there again, and its links work: nothing was changed."))
            collection_keys.destroy(locked)
            collection_keys.make(locked)
            try:
                n = _new_links(locked, collection_keys.read(locked))
                Slip.objects.filter(collection=locked).delete()
                study, team = locked.survey.study, locked.participation
                record(study, Happened.KEY_RENEWED, participation=team, by=by, detail=str(n))
            except BaseException:
                collection_keys.destroy(locked)  # it would fit no link
                raise
    except OSError as error:
        raise NotReady(_("The server could not write the key. Tell whoever looks after this site.")) from error
    LOOKS.forget(collection.pk)
    return n


def _new_links(collection: Collection, key: bytes) -> int:
    invitees = list(Invitee.objects.filter(collection=collection))
    LinkSecret.objects.filter(invitee__collection=collection).delete()
    LinkSecret.objects.bulk_create(personal_links.new_secret(invitee.pk, key) for invitee in invitees)
    sweeping.mark([LinkSecret])
    mailed = [invitee.pk for invitee in invitees if not invitee.opted_out]
    for pk in mailed:  # what waits would say the same, without saying why
        outbox.drop(SurveyMail.PERSONAL_LINK, pk)
        outbox.drop(SurveyMail.PERSONAL_LINK_REPLACED, pk)
    outbox.queue_many(SurveyMail.PERSONAL_LINK_REPLACED, mailed, study=collection.survey.study)
    return len(mailed)


def _fits(collection: Collection) -> int:
    """:raises keys.KeyDestroyed: if there is no key, if it cannot be read, or if it is that of no link"""
    key = collection_keys.read(collection)
    secret = LinkSecret.objects.filter(invitee__collection=collection).order_by("-pk").first()
    if (
        secret is not None
        and personal_links.token_hash(personal_links.token_of(key, secret.nonce)) != secret.token_hash
    ):
        raise collection_keys.KeyDestroyed
    return 1
