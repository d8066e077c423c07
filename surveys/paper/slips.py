"""Single-use slips for a meeting: whoever holds the code of the room could answer more than once, a slip works once.

Codes are drawn at random, printed and forgotten: the table holds a keyed hash of each, under the key that the collection
has outside the database (keys/collection_keys.py), so that no dump gives a code. Slips are cut and drawn from a pile; nothing says who drew
which. Using one deletes its row, before the response begins and apart from it: a crash in between costs the slip, and the
next one from the pile works.
"""

from __future__ import annotations

import hmac
import secrets
from pathlib import Path

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from surveys import qr
from surveys.answering import submission
from surveys.collecting.opening import CODE_SIGNS
from surveys.history import Happened
from surveys.keys import collection_keys
from surveys.models import Collection, Meeting, Slip
from surveys.typesetting import typeset
from teams.history import record
from teams.models import User
from teams.text.directions import isolated

TEMPLATE = Path(__file__).with_name("slips.typ")
CODE_LENGTH = 8
MOST = 1000  # in one collection at a time


class NoSlip(Exception):
    """The code on the slip is wrong, or was used."""


def make(collection: Collection, n: int, by: User | None = None, by_link: bool = False) -> list[str]:
    """Draw ``n`` new codes while the collection is open. They are told once, to be printed; nobody can look them up."""
    codes = list({_draw() for _n in range(n)})
    with transaction.atomic():
        locked = Collection.objects.select_for_update(no_key=True).get(pk=collection.pk)
        if locked.state != Collection.State.OPEN or n_left(collection) + len(codes) > MOST:
            return []
        try:
            key = collection_keys.read(collection)
        except collection_keys.KeyDestroyed:  # lost: collecting/new_keys.py
            return []
        Slip.objects.bulk_create(Slip(collection=collection, code_hash=_hash(key, code)) for code in codes)
        record(
            collection.survey.study,
            Happened.SLIPS_MADE,
            participation=collection.participation,
            by=by,
            by_link=by_link,
            detail=str(len(codes)),
        )
    return codes


def n_left(collection: Collection) -> int:
    """How many slips would still let somebody begin."""
    return Slip.objects.filter(collection=collection).count()


def make_worthless(collection: Collection, by: User | None = None, by_link: bool = False) -> int:
    """The slips that nobody used let nobody begin any more. Returns how many they were."""
    with transaction.atomic():
        n, _rows = Slip.objects.filter(collection=collection).delete()
        if n:
            record(
                collection.survey.study,
                Happened.SLIPS_WORTHLESS,
                participation=collection.participation,
                by=by,
                by_link=by_link,
                detail=str(n),
            )
    return n


def start(meeting: Meeting, code: str, language: str = "", offered: str = "", holder: str = "") -> str:
    """Start a response in a meeting with a slip. Returns its key; a second time with the same page and device the same one.

    :raises NoSlip: if the slip lets nobody begin
    :raises submission.Closed, submission.TooManyJoins: as without slips; then the slip still works
    """
    if (key := submission.begun_with(meeting, offered, holder)) is not None:
        return key
    try:
        code_hash = _hash(collection_keys.read(meeting.collection), submission.normal_code(code))
    except collection_keys.KeyDestroyed as error:
        raise submission.Closed from error
    # one statement: of two who come with one slip one deletes it
    if not Slip.objects.filter(collection=meeting.collection_id, code_hash=code_hash).delete()[0]:
        raise NoSlip
    try:
        return submission.start_in_meeting(meeting, language, offered, holder)
    except (submission.Closed, submission.TooManyJoins):
        Slip.objects.create(collection_id=meeting.collection_id, code_hash=code_hash)
        raise


def pdf(collection: Collection, codes: list[str], language: str) -> bytes:
    """The slips on paper, to be cut: how to join, and a code of each."""
    meeting: Meeting = collection.meeting
    study, team = collection.survey.study, collection.participation.team
    with override(language):
        content = {
            "language": language,
            "title": _("Slips: %(team)s") % {"team": isolated(team.name)},
            "study": study.title,
            "team": team.name,
            "join": _("Go to %(address)s and type %(code)s. Then type the code of this slip:")
            % {"address": qr.join_address(), "code": f"{meeting.code[:3]} {meeting.code[3:]}"},
            "once": _("It works once. Nobody notes who drew it, and it is not kept with your answers."),
            "codes": [f"{code[:4]} {code[4:]}" for code in codes],
        }
    return typeset(TEMPLATE, "slips", content)


def _draw() -> str:
    return "".join(secrets.choice(CODE_SIGNS) for _n in range(CODE_LENGTH))


def _hash(key: bytes, code: str) -> str:
    return hmac.digest(key, b"slip" + code.encode(), "sha256").hex()
