"""Who is asked: people, organisations, studies, and who said yes. This app knows no questionnaire."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: object) -> User:
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)  # None: an unusable password, for those who sign in by a mailed code
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: object) -> User:
        return self.create_user(email, password, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email__iexact=username or "")


class User(AbstractBaseUser, PermissionsMixin):
    """A researcher, an administrator (``is_superuser``) or a team leader. Teachers and directors have no account."""

    email = models.EmailField(_("e-mail address"), unique=True)
    name = models.CharField(_("name"), max_length=120, blank=True)
    language = models.CharField(
        _("language"), max_length=2, choices=[("nl", "Nederlands"), ("en", "English")], default="nl"
    )
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(default=timezone.now)

    objects: ClassVar[UserManager] = UserManager()
    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_once")]

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def is_staff(self) -> bool:
        return self.is_superuser


class Sector(models.TextChoices):
    EDUCATION = "education", _("Education")
    ECONOMICS = "economics", _("Economics and Management")
    HEALTH = "health", _("Health")
    ENGINEERING = "engineering", _("Engineering")
    AGRICULTURE = "agriculture", _("Agriculture")
    SOCIAL = "social", _("Social studies")
    ARTS = "arts", _("Arts")


class Institution(models.Model):
    name = models.CharField(_("name"), max_length=160, unique=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Academy(models.Model):
    """A department of an institution, led by a director who decides first."""

    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="academies")
    name = models.CharField(_("name"), max_length=160)
    sector = models.CharField(_("sector"), max_length=20, choices=Sector.choices)
    director_name = models.CharField(_("director"), max_length=120)
    director_email = models.EmailField(_("e-mail address of the director"))

    class Meta:
        ordering = ["institution__name", "name"]
        constraints = [models.UniqueConstraint("institution", Lower("name"), name="academy_once_per_institution")]

    def __str__(self) -> str:
        return self.name


class Team(models.Model):
    """The teachers of one programme; the same row in every wave."""

    class Form(models.TextChoices):
        FULL_TIME = "full_time", _("full-time")
        PART_TIME = "part_time", _("part-time")
        DUAL = "dual", _("dual")

    academy = models.ForeignKey(Academy, on_delete=models.PROTECT, related_name="teams")
    name = models.CharField(_("name"), max_length=160)
    form = models.CharField(_("form of the programme"), max_length=20, choices=Form.choices, default=Form.FULL_TIME)
    leader_name = models.CharField(_("team leader"), max_length=120)
    leader_email = models.EmailField(_("e-mail address of the team leader"))

    class Meta:
        ordering = ["academy__institution__name", "academy__name", "name"]
        constraints = [models.UniqueConstraint("academy", Lower("name"), "form", name="team_once_per_academy")]

    def __str__(self) -> str:
        return self.name


class Study(models.Model):
    """A study, or one wave of it. Settings of law and trust: method.md."""

    class LegalBasis(models.TextChoices):
        PUBLIC_TASK = "public_task", _("public task (GDPR art. 6(1)(e))")
        LEGITIMATE_INTEREST = "legitimate_interest", _("legitimate interest (GDPR art. 6(1)(f))")

    slug = models.SlugField(_("short name"), unique=True)
    title = models.CharField(_("title"), max_length=160)
    wave = models.PositiveSmallIntegerField(_("wave"), default=1)
    previous = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="next", verbose_name=_("previous wave")
    )
    starts_on = models.DateField(_("first day"))
    ends_on = models.DateField(_("last day"))
    k = models.PositiveSmallIntegerField(_("smallest group shown (k)"), default=5, validators=[MinValueValidator(5)])
    grace_hours = models.PositiveSmallIntegerField(_("grace period after closing, in hours"), default=24)
    simulated = models.BooleanField(default=False)
    # Law and trust
    controller = models.CharField(_("responsible institution(s)"), max_length=200)
    joint_controllers = models.BooleanField(_("jointly responsible"), default=False)
    processor = models.CharField(_("host of the server (processor)"), max_length=200, blank=True)
    legal_basis = models.CharField(
        _("legal basis"), max_length=30, choices=LegalBasis.choices, default=LegalBasis.PUBLIC_TASK
    )
    privacy_contact = models.CharField(_("privacy officer"), max_length=200)
    ethics_number = models.CharField(_("number of the ethics review"), max_length=80, blank=True)
    dpia = models.CharField(_("outcome of the data protection impact assessment"), max_length=200, blank=True)
    works_council = models.CharField(_("note of the works council"), max_length=200, blank=True)
    retention_years = models.PositiveSmallIntegerField(_("years that answers are kept"), default=10)
    report_days = models.PositiveSmallIntegerField(_("days between the leader's report and the teachers'"), default=14)
    contact_name = models.CharField(_("contact person of the study"), max_length=120)
    contact_email = models.EmailField(_("e-mail address of the contact person"))
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-starts_on", "title"]
        constraints = [
            models.CheckConstraint(condition=Q(ends_on__gte=F("starts_on")), name="study_ends_after_start"),
            models.CheckConstraint(condition=Q(k__gte=5), name="study_k_at_least_5"),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("board", args=[self.slug])


class Role(models.Model):
    """What a user may do: a researcher of a study, or the leader of a team."""

    class Kind(models.TextChoices):
        RESEARCHER = "researcher", _("researcher")
        LEADER = "leader", _("team leader")

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="roles")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    study = models.ForeignKey(Study, on_delete=models.CASCADE, null=True, blank=True, related_name="roles")
    team = models.ForeignKey(Team, on_delete=models.CASCADE, null=True, blank=True, related_name="roles")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="researcher", study__isnull=False, team__isnull=True)
                | Q(kind="leader", study__isnull=True, team__isnull=False),
                name="role_of_study_or_team",
            ),
            models.UniqueConstraint("user", "study", condition=Q(kind="researcher"), name="researcher_once"),
            models.UniqueConstraint("user", "team", condition=Q(kind="leader"), name="leader_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.kind}"


class Participation(models.Model):
    """A team in a study: whether it takes part, how, and how many teachers it has."""

    class State(models.TextChoices):
        LISTED = "listed", _("not invited yet")
        INVITED = "invited", _("invited")
        ACCEPTED = "accepted", _("taking part")
        DECLINED = "declined", _("declined")
        WITHDRAWN = "withdrawn", _("withdrawn")

    class Mode(models.TextChoices):
        RESEARCHER = "researcher", _("in a team meeting, a researcher is present")
        CONTACT = "contact", _("in a team meeting, introduced by a contact person")
        ONLINE = "online", _("online, each by a personal link")

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="participations")
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="participations")
    state = models.CharField(max_length=12, choices=State.choices, default=State.LISTED)
    mode = models.CharField(_("way of collecting"), max_length=12, choices=Mode.choices, blank=True)
    approached = models.PositiveIntegerField(_("number of teachers"), null=True, blank=True)
    approached_note = models.CharField(max_length=200, blank=True)
    meets_on = models.DateField(_("date of the team meeting"), null=True, blank=True)
    contact_name = models.CharField(_("contact person"), max_length=120, blank=True)
    contact_email = models.EmailField(_("e-mail address of the contact person"), blank=True)
    director_sees_team = models.BooleanField(_("the director may see this team's own results"), default=False)

    class Meta:
        ordering = ["team__academy__institution__name", "team__academy__name", "team__name"]
        constraints = [
            models.UniqueConstraint("study", "team", name="team_once_per_study"),
            models.CheckConstraint(
                condition=~Q(state="accepted") | (Q(approached__isnull=False, approached__gte=1) & ~Q(mode="")),
                name="accepted_has_mode_and_approached",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.team} ({self.study})"


class Invitation(models.Model):
    """A question to a director (about an academy) or to a leader (about a participation), by a link for one purpose."""

    class State(models.TextChoices):
        LISTED = "listed", _("not invited yet")
        SENT = "sent", _("invited")
        ACCEPTED = "accepted", _("accepted")
        DECLINED = "declined", _("declined")
        WITHDRAWN = "withdrawn", _("withdrawn")

    class Reason(models.TextChoices):
        REORGANISATION = "reorganisation", _("a reorganisation is going on")
        WORKLOAD = "workload", _("the workload is too high")
        OTHER_RESEARCH = "other_research", _("we already take part in other research")
        NOT_RELEVANT = "not_relevant", _("the subject does not fit us now")
        OTHER = "other", _("another reason")
        LEFT_OUT = "left_out", _("left out by the director")  # never offered in a form: teams/invitations.py sets it

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="invitations")
    academy = models.ForeignKey(Academy, on_delete=models.PROTECT, null=True, blank=True, related_name="invitations")
    participation = models.OneToOneField(
        Participation, on_delete=models.CASCADE, null=True, blank=True, related_name="invitation"
    )
    state = models.CharField(max_length=12, choices=State.choices, default=State.LISTED)
    nonce = models.CharField(max_length=32, blank=True)  # the link's token is signed over it: teams/links.py
    reason = models.CharField(_("reason"), max_length=20, choices=Reason.choices, blank=True)
    reason_text = models.CharField(_("explanation"), max_length=500, blank=True)
    undertaking = models.BooleanField(default=False)  # no use in appraisal, no attempt to recognise anyone
    sent_at = models.DateTimeField(null=True, blank=True)
    reminded_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    not_before = models.DateField(
        _("not before"), null=True, blank=True
    )  # a director's condition for asking the leaders
    link_until = models.DateField(null=True, blank=True)  # last day of the link; none: as long as its nonce
    n_reminders = models.PositiveSmallIntegerField(default=0)
    no_reminders = models.BooleanField(default=False)  # asked not to be reminded

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(academy__isnull=False, participation__isnull=True)
                | Q(academy__isnull=True, participation__isnull=False),
                name="invitation_of_one_tier",
            ),
            models.UniqueConstraint("study", "academy", name="academy_invited_once"),
            models.CheckConstraint(condition=~Q(state="declined") | ~Q(reason=""), name="declined_has_reason"),
            models.CheckConstraint(
                condition=~Q(state="accepted") | Q(undertaking=True), name="accepted_has_undertaking"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.academy or self.participation}: {self.state}"


class OutboxMessage(models.Model):
    """A mail to send: which template about which object. Rendered at sending, its text is never stored."""

    class State(models.TextChoices):
        QUEUED = "queued", _("waiting")
        SENT = "sent", _("sent")
        FAILED = "failed", _("given up")
        BOUNCED = "bounced", _("came back")
        DROPPED = "dropped", _("no longer needed")

    study = models.ForeignKey(
        Study, on_delete=models.CASCADE, null=True, blank=True, related_name="mails", db_index=False
    )
    kind = models.CharField(max_length=40)
    object_id = models.BigIntegerField()
    language = models.CharField(max_length=2, default="nl")
    state = models.CharField(max_length=8, choices=State.choices, default=State.QUEUED)
    message_id = models.CharField(max_length=120, blank=True)
    provider_id = models.CharField(max_length=200, blank=True)  # what a mail provider calls it in its reports
    handed_over = models.PositiveSmallIntegerField(default=0)  # how often without learning whether it was taken
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(default=timezone.now)
    lease_until = models.DateTimeField(null=True, blank=True)
    sent_on = models.DateField(null=True, blank=True)  # no time finer than the day
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["due_at"], condition=Q(state="queued"), name="outbox_due"),
            models.Index(fields=["study", "-id"], name="outbox_of_study"),
            # what did not arrive is counted on the board: 14 ms of 51 among 200,000 mails of a study
            models.Index(fields=["study", "-id"], condition=Q(state__in=["failed", "bounced"]), name="outbox_lost"),
            models.Index(fields=["kind", "object_id"], name="outbox_about"),
            models.Index(fields=["message_id"], condition=~Q(message_id=""), name="outbox_message"),
            models.Index(fields=["provider_id"], condition=~Q(provider_id=""), name="outbox_provider"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.object_id}: {self.state}"


class Event(models.Model):
    """What happened to an academy, a team or a study, by whom: the history a researcher reads. Never about teachers."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="events")
    participation = models.ForeignKey(
        Participation, on_delete=models.CASCADE, null=True, blank=True, related_name="events"
    )
    academy = models.ForeignKey(Academy, on_delete=models.CASCADE, null=True, blank=True, related_name="events")
    at = models.DateTimeField(auto_now_add=True)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    by_link = models.BooleanField(default=False)  # done through a mailed link, so by whoever held it
    kind = models.CharField(max_length=40)
    detail = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%Y-%m-%d}"


from teams import planned as planned  # noqa: E402  models of this app in a module of their own
from teams.mailed import (  # noqa: E402, F401  models of this app in modules of their own
    MailHours,
    MailText,
    ReminderSchedule,
    SendingMinute,
)
