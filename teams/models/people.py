"""Who is asked: accounts, institutions, academies and teams. This app knows no questionnaire."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from teams.models.languages import LENGTH, default_language, language_choices


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

    email = models.EmailField(_("email address"), unique=True)
    name = models.CharField(_("name"), max_length=120, blank=True)
    language = models.CharField(_("language"), max_length=LENGTH, choices=language_choices, default=default_language)
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


class ResearchGroup(models.Model):
    """Who does research together: it owns institutions (with their academies and teams), questionnaires and studies.

    Nothing of another group is listed, compared, suggested, changed or merged.
    """

    name = models.CharField(_("name"), max_length=160)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(Lower("name"), name="research_group_once")]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A researcher in a group: may begin studies and questionnaires of it. In which studies they work: `Role`."""

    group = models.ForeignKey(ResearchGroup, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    all_studies = models.BooleanField(_("works in all studies of the group, including later ones"), default=False)
    # made by an administrator; else it came with work in a study, and ends with the last of that
    by_administrator = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint("group", "user", name="member_once")]

    def __str__(self) -> str:
        return f"{self.user}: {self.group}"


class ResearcherInvitation(models.Model):
    """Somebody who was asked to do research: in a study, or (``study`` empty) by an administrator in the group.

    A row of its own that leads to no account: whoever knows an address learns nothing of the account there and changes
    nothing of it, until who reads that mailbox accepts.
    """

    group = models.ForeignKey(ResearchGroup, on_delete=models.CASCADE, related_name="researcher_invitations")
    study = models.ForeignKey(
        "teams.Study", on_delete=models.CASCADE, null=True, blank=True, related_name="researcher_invitations"
    )
    name = models.CharField(_("name"), max_length=120)
    email = models.EmailField(_("email address"))
    language = models.CharField(_("language"), max_length=LENGTH, default=default_language)
    all_studies = models.BooleanField(default=False)
    invited_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    invited_at = models.DateTimeField(default=timezone.now)
    nonce = models.CharField(max_length=32)  # the link's token is signed over it: teams/links.py

    class Meta:
        ordering = ["email", "pk"]
        constraints = [
            models.UniqueConstraint(
                "study", Lower("email"), condition=models.Q(study__isnull=False), name="researcher_asked_once_per_study"
            ),
            models.UniqueConstraint(
                "group", Lower("email"), condition=models.Q(study__isnull=True), name="researcher_asked_once_per_group"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.email}: {self.study or self.group}"


class Institution(models.Model):
    group = models.ForeignKey(ResearchGroup, on_delete=models.PROTECT, related_name="institutions")
    name = models.CharField(_("name"), max_length=160)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint("group", Lower("name"), name="institution_once_per_group")]

    def __str__(self) -> str:
        return self.name


class Academy(models.Model):
    """A department of an institution, led by a director who decides first."""

    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="academies")
    name = models.CharField(_("name"), max_length=160)
    sector = models.CharField(_("sector"), max_length=20, choices=Sector.choices)
    director_name = models.CharField(_("director"), max_length=120)
    director_email = models.EmailField(_("email address of the director"))

    class Meta:
        ordering = ["institution__name", "name"]
        constraints = [models.UniqueConstraint("institution", Lower("name"), name="academy_once_per_institution")]

    def __str__(self) -> str:
        return self.name


class Team(models.Model):
    """The teachers of one programme; the same row in every wave.

    Its leader here is the one last known, with whom it is put on the list of a new study. Who leads it in a study, and gets
    the mails and the pages of it, is said by the participation.
    """

    class Form(models.TextChoices):
        FULL_TIME = "full_time", _("full-time")
        PART_TIME = "part_time", _("part-time")
        DUAL = "dual", _("dual")

    academy = models.ForeignKey(Academy, on_delete=models.PROTECT, related_name="teams")
    name = models.CharField(_("name"), max_length=160)
    form = models.CharField(_("form of the programme"), max_length=20, choices=Form.choices, default=Form.FULL_TIME)
    leader_name = models.CharField(_("team leader"), max_length=120)
    leader_email = models.EmailField(_("email address of the team leader"))

    class Meta:
        ordering = ["academy__institution__name", "academy__name", "name"]
        constraints = [models.UniqueConstraint("academy", Lower("name"), "form", name="team_once_per_academy")]

    def __str__(self) -> str:
        return self.name


class Employment(models.Model):
    """Whether a researcher works in an academy that a study of theirs asks, in their own word.

    Who works there knows the people: rows of their answers are not for them (docs/data-protection.md, What readers see).
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="employments")
    academy = models.ForeignKey(Academy, on_delete=models.CASCADE, related_name="employments")
    works_there = models.BooleanField()

    class Meta:
        constraints = [models.UniqueConstraint("user", "academy", name="employment_once")]

    def __str__(self) -> str:
        return f"{self.user}: {self.academy}: {self.works_there}"
