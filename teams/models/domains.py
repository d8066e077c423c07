"""The mail domains of an institution."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from teams.models.people import Institution


class MailDomain(models.Model):
    """A domain in which an institution gives its people their addresses.

    An address in it counts as a person of whom the institution knows (surveys/linking/confirming.py). One that was taken off the
    list stays as a row (``used`` false), so that the next file of contacts does not bring it back.
    """

    institution = models.ForeignKey(Institution, on_delete=models.CASCADE, related_name="mail_domains")
    domain = models.CharField(_("mail domain"), max_length=253)
    used = models.BooleanField(default=True)

    class Meta:
        ordering = ["domain"]
        constraints = [models.UniqueConstraint("institution", "domain", name="mail_domain_once_per_institution")]

    def __str__(self) -> str:
        return self.domain
