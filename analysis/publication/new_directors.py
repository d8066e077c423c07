"""An academy's report is its director's: who is director no longer reads it, and who is director now gets a link."""

from __future__ import annotations

from django.db import transaction

from analysis.mail_kinds import ReportMail
from analysis.models.readers import ReportLink
from analysis.publication.links import end_directors_links, links_for_directors, renew
from teams.mail.outbox import queue, queue_many
from teams.models import Academy


def follow_director(academy: Academy) -> None:
    """End the links of the director before, and mail the one who is now a link to each report that was still open.

    Called inside the transaction that names the new director; with nobody at the address nothing is mailed.
    """
    for study in end_directors_links(academy):
        made = links_for_directors(study, academy)
        if academy.director_email:
            queue_many(ReportMail.ACADEMY_REPORT_READY, [link.pk for link in made], study=study)


def renew_for_director(link: ReportLink) -> None:
    """A new address by mail; the old one ends."""
    with transaction.atomic():
        renew(link)
        queue(ReportMail.ACADEMY_REPORT_READY, link.pk, study=link.study)
