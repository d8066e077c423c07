"""Studies, who works in them, and the teams that take part."""

from __future__ import annotations

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from teams.models.languages import LENGTH, default_language, language_choices
from teams.models.people import ResearchGroup, Team, User


class Study(models.Model):
    """A study, or one wave of it; the waves of a series are studies of one group. Settings of law and trust: docs/data-protection.md."""

    class LegalBasis(models.TextChoices):
        PUBLIC_TASK = "public_task", _("public task (GDPR art. 6(1)(e))")
        LEGITIMATE_INTEREST = "legitimate_interest", _("legitimate interest (GDPR art. 6(1)(f))")

    group = models.ForeignKey(
        ResearchGroup, on_delete=models.PROTECT, related_name="studies", verbose_name=_("research group")
    )
    slug = models.SlugField(_("short name"), unique=True)
    title = models.CharField(_("title"), max_length=160)
    wave = models.PositiveSmallIntegerField(_("wave"), default=1)
    previous = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="next", verbose_name=_("previous wave")
    )
    starts_on = models.DateField(_("first day"))
    ends_on = models.DateField(_("last day"))
    k = models.PositiveSmallIntegerField(_("smallest group shown (k)"), default=5, validators=[MinValueValidator(5)])
    grace_hours = models.PositiveSmallIntegerField(_("time to finish after closing, in hours"), default=24)
    slips = models.BooleanField(_("in meetings each person draws a slip with a code"), default=False)
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
    language = models.CharField(
        _("language of emails to people without an account"),
        max_length=LENGTH,
        choices=language_choices,
        default=default_language,
    )
    contact_name = models.CharField(_("contact person of the study"), max_length=120)
    contact_email = models.EmailField(_("email address of the contact person"))
    created_at = models.DateTimeField(auto_now_add=True)
    # since when people may have read k and the promised times: they stay from then on (teams/studies/setting_up.py)
    promised_on = models.DateField(null=True, blank=True, editable=False)
    # the last day of keeping that followed from what they read; it moves to an earlier day only
    kept_until = models.DateField(null=True, blank=True, editable=False)

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
    """What a user may do: a researcher of a study, or the leader of a team in one wave.

    Who leads the team in the next wave sees nothing of this one by that: inviting/corrections.py says how a wave changes hands.
    """

    class Kind(models.TextChoices):
        RESEARCHER = "researcher", _("researcher")
        LEADER = "leader", _("team leader")

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="roles")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    study = models.ForeignKey(Study, on_delete=models.CASCADE, null=True, blank=True, related_name="roles")
    participation = models.ForeignKey(
        "teams.Participation", on_delete=models.CASCADE, null=True, blank=True, related_name="roles"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="researcher", study__isnull=False, participation__isnull=True)
                | Q(kind="leader", study__isnull=True, participation__isnull=False),
                name="role_of_study_or_wave",
            ),
            models.UniqueConstraint("user", "study", condition=Q(kind="researcher"), name="researcher_once"),
            models.UniqueConstraint("participation", condition=Q(kind="leader"), name="one_leader_per_wave"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.kind}"


class Participation(models.Model):
    """A team in a study, so in one wave: whether it takes part, who leads it there, how, and how many teachers it has."""

    class State(models.TextChoices):
        LISTED = "listed", _("not invited yet")
        INVITED = "invited", _("invited")
        ACCEPTED = "accepted", _("taking part")
        DECLINED = "declined", _("declined")
        WITHDRAWN = "withdrawn", _("withdrawn")

    NO_PART = (State.DECLINED, State.WITHDRAWN)

    class Mode(models.TextChoices):
        RESEARCHER = "researcher", _("in a team meeting, a researcher is present")
        CONTACT = "contact", _("in a team meeting, introduced by a contact person")
        ONLINE = "online", _("online, each by a personal link")

    MEETING_MODES = (Mode.RESEARCHER, Mode.CONTACT)

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="participations")
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="participations")
    state = models.CharField(max_length=12, choices=State.choices, default=State.LISTED)
    mode = models.CharField(_("way of collecting"), max_length=12, choices=Mode.choices, blank=True)
    approached = models.PositiveIntegerField(_("number of teachers"), null=True, blank=True)
    approached_note = models.CharField(max_length=200, blank=True)
    meets_on = models.DateField(_("date of the team meeting"), null=True, blank=True)
    leader_name = models.CharField(_("team leader"), max_length=120)
    leader_email = models.EmailField(_("email address of the team leader"))
    contact_name = models.CharField(_("contact person"), max_length=120, blank=True)
    contact_email = models.EmailField(_("email address of the contact person"), blank=True)
    # Keyed hashes of the addresses of who counted those present, or confirmed addresses, by link: they do not become the leader
    vouched_by = models.JSONField(default=list, blank=True)
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
