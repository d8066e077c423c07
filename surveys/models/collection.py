"""Collecting: a survey (study and frozen questionnaire), its collections (one per team), meetings and invitees."""

import secrets
import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from surveys.models.questionnaire import QuestionnaireVersion
from teams.models import Participation, Study, User


class Survey(models.Model):
    """A study with the frozen questionnaire that it asks and the plan that was locked before the first answer."""

    study = models.OneToOneField(Study, on_delete=models.CASCADE, related_name="survey")
    version = models.ForeignKey(QuestionnaireVersion, on_delete=models.PROTECT, related_name="surveys")
    background = models.JSONField(default=list)  # codes of the background questions that are asked
    plan_hash = models.CharField(max_length=64, blank=True)  # of the locked analysis plan; blank: not open yet
    opened_at = models.DateTimeField(null=True, blank=True)
    n_seals = models.PositiveIntegerField(default=0)  # rises with every sealed collection: a run is due
    # as the plan said when the survey opened, and teachers read before they answered: a team that meets may see its own figures in
    # the meeting (collecting/mirror.py)
    mirror = models.BooleanField(default=False)
    # what whoever leads a meeting reads aloud and answers: {"briefing": {language: text}, "questions": …}; blank: the default
    meeting_texts: "models.JSONField[dict[str, dict[str, str]]]" = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(opened_at__isnull=True) | ~Q(plan_hash=""), name="survey_opens_with_locked_plan"
            )
        ]

    def __str__(self) -> str:
        return str(self.study)


class PresentBy(models.TextChoices):
    """Who counted the people in a meeting: only the first two counts, and imports, may lift a team over k."""

    RESEARCHER = "researcher", _("a researcher")
    CONTACT = "contact", _("the contact person")
    STRANGER = "stranger", _("a contact person whose address the institution does not vouch for")
    LEADER = "leader", _("the team leader")
    IMPORT = "import", _("a researcher, by importing the answers")
    BEFORE = "before", _("counted before it was kept by whom")  # sealed by an earlier version of this program


class Collection(models.Model):
    """The answers of one team: open, closed (who started may finish), sealed (irreversible)."""

    class State(models.TextChoices):
        OPEN = "open", _("open")
        CLOSED = "closed", _("closed")
        SEALED = "sealed", _("sealed")

    # names the key file and the line in the list of sealed collections; a primary key could come back after a restore
    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    survey = models.ForeignKey(Survey, on_delete=models.CASCADE, related_name="collections")
    participation = models.OneToOneField(Participation, on_delete=models.CASCADE, related_name="collection")
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    mode = models.CharField(max_length=12, choices=Participation.Mode.choices)
    approached = models.PositiveIntegerField()  # as recorded at opening; corrected only by a researcher, with a reason
    refused = models.PositiveIntegerField(default=0)  # who said no to somebody, as a researcher entered it
    closes_for_good_at = models.DateTimeField(null=True, blank=True)  # end of the grace period
    # The most responses begun on one device. The device itself counts (views/teachers/device.py): the server knows no device, and
    # nothing of it stands with a response. From two on it is written here, after the response was begun.
    on_one_device = models.PositiveIntegerField(default=0)
    shared_device = models.BooleanField(
        default=False
    )  # whoever led the meeting said that people answered in turn on one
    # what the leader sees of who handed in, and how many had when it moved last, unreadable (collecting/returned.py)
    returned = models.CharField(max_length=48, blank=True)
    # frozen at sealing
    n_started = models.PositiveIntegerField(null=True, blank=True)
    n_submitted = models.PositiveIntegerField(null=True, blank=True)
    n_present = models.PositiveIntegerField(null=True, blank=True)
    n_links = models.PositiveIntegerField(null=True, blank=True)
    n_confirmed = models.PositiveIntegerField(
        null=True, blank=True
    )  # of the links, to addresses known (linking/confirming.py)
    present_by = models.CharField(max_length=10, choices=PresentBy.choices, blank=True)  # blank: nobody counted
    one_supplier = models.BooleanField(default=False)  # one person counted those present and supplied the links
    n_paper = models.PositiveIntegerField(default=0)  # responses typed from paper
    n_paper_by_link = models.PositiveIntegerField(default=0)  # of these, by who held the meeting's link
    sealing = models.BooleanField(default=False)  # a sealing has begun; its last steps are still to be done

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="closed") | Q(closes_for_good_at__isnull=False), name="closed_has_an_end"
            ),
            models.CheckConstraint(
                condition=~Q(state="sealed") | Q(n_started__isnull=False, n_submitted__isnull=False),
                name="sealed_has_counts",
            ),
        ]

    def __str__(self) -> str:
        return str(self.participation)


class Meeting(models.Model):
    """A team meeting: a code for the room and a link for the facilitator, who has no account."""

    collection = models.OneToOneField(Collection, on_delete=models.CASCADE, related_name="meeting")
    code = models.CharField(max_length=6, blank=True)  # blank: not open
    facilitator_nonce = models.CharField(max_length=32)  # the facilitator's link is signed over it; a new one revokes
    sent_to_contact = models.BooleanField(default=False)  # a contact person was mailed the link over this nonce
    present = models.PositiveIntegerField(_("teachers present"), null=True, blank=True)
    present_by = models.CharField(max_length=10, choices=PresentBy.choices, blank=True)
    counted_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    paper = models.PositiveIntegerField(_("paper forms handed in"), null=True, blank=True)
    joins_confirmed = models.PositiveIntegerField(default=0)  # how often the facilitator allowed more to join
    # when whoever led it closed it for good, for the team to see its own figures in the meeting (collecting/mirror.py)
    picture_asked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint("code", condition=~Q(code=""), name="meeting_code_once")]

    def __str__(self) -> str:
        return str(self.collection)


class ReminderRound(models.Model):
    """A moment at which a researcher wants the holders of personal links to be reminded, in every team that is open then."""

    survey = models.ForeignKey(Survey, on_delete=models.CASCADE, related_name="reminder_rounds")
    due_at = models.DateTimeField()
    sent = models.BooleanField(default=False)

    class Meta:
        ordering = ["due_at"]
        constraints = [models.UniqueConstraint("survey", "due_at", name="reminder_round_once")]

    def __str__(self) -> str:
        return f"{self.survey}: {self.due_at:%Y-%m-%d %H:%M}"


class Invitee(models.Model):
    """Somebody who got a personal link. Nothing here tells whether an answer came in: docs/data-protection.md."""

    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="invitees")
    email = models.EmailField()
    opted_out = models.BooleanField(default=False)
    confirmed = models.BooleanField(default=False)  # by somebody who has the institution's list of its teachers

    class Meta:
        constraints = [
            models.UniqueConstraint("collection", "email", name="invitee_once_per_collection"),
        ]

    def __str__(self) -> str:
        return self.email


class LinkSecret(models.Model):
    """What a personal link and the key of its response are made of (surveys/linking/personal_links.py), until sealing: then the row goes.

    Apart from the invitee, who stays: so what is written anew at sealing holds open links only, not all that ever were.
    """

    invitee = models.OneToOneField(Invitee, on_delete=models.CASCADE, primary_key=True, related_name="secret")
    nonce = models.CharField(max_length=32)
    token_hash = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint("token_hash", name="link_token_once")]

    def __str__(self) -> str:
        return str(self.invitee_id)


def _random_number() -> int:
    return secrets.randbits(62)


class DayCount(models.Model):
    """Submitted per day of a collection, for the chart of response over time. A response itself holds no time.

    A day on which nobody handed in has no row, also when there was one: it would tell that somebody deleted. Nor are the rows
    counted, or the number that is left out would.
    """

    id = models.BigIntegerField(primary_key=True, default=_random_number, editable=False)
    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="day_counts")
    day = models.DateField()
    n = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint("collection", "day", name="day_once_per_collection"),
            models.CheckConstraint(condition=Q(n__gt=0), name="day_has_somebody"),
        ]

    def __str__(self) -> str:
        return f"{self.day}: {self.n}"
