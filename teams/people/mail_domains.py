"""The mail domains of institutions: learned from contacts that a researcher enters, seen, added and removed on a page.

They say whose links count in every study of the institution: so they change only by who works in all of these studies, and
that stands in the history of each.
"""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from teams import history
from teams.models import Academy, Event, Institution, MailDomain, Study, Team, User
from teams.people.elsewhere import Elsewhere, elsewhere, studies_with
from teams.text.addresses import domain_of, folded, is_free_mail
from teams.text.directions import isolated


def domains_of(institution: Institution) -> frozenset[str]:
    """The domains in which an address counts as one of the institution."""
    return frozenset(MailDomain.objects.filter(institution=institution, used=True).values_list("domain", flat=True))


def learn(study: Study, academy: Academy, by: User | None, *, leader: str = "") -> None:
    """Take the domain of the academy's director, or of a leader, whose address a researcher entered.

    A leader's counts only if somebody else of the institution has it too: one who has a domain of his own could fill it. Nor
    is anything learned from an address that a director named by link, who could name two in a domain of their own.
    Never a mail provider's domain; one that was taken off the list stays off; nothing is learned from somebody who does not
    work in every study of the institution.
    """
    institution = academy.institution
    domain = domain_of(leader or academy.director_email)
    if not domain or is_free_mail(domain) or elsewhere(institution, by):
        return
    if leader and (_named_by_link(institution, leader) or not _others_in(institution, domain, leader)):
        return
    _row, is_new = MailDomain.objects.get_or_create(institution=institution, domain=domain)
    if is_new:
        _record(study, history.Happened.MAIL_DOMAIN_ADDED, institution, domain, by)


@transaction.atomic
def add(study: Study, institution: Institution, domain: str, by: User) -> bool:
    """Put a domain on the list. Whether it is new there.

    Raises:
        Elsewhere: if the institution is in a study too in which this person does not work.
    """
    _check(institution, by)
    row, is_new = MailDomain.objects.get_or_create(institution=institution, domain=domain)
    back = MailDomain.objects.filter(pk=row.pk, used=False).update(used=True)
    if is_new or back:
        _record(study, history.Happened.MAIL_DOMAIN_ADDED, institution, domain, by)
    return bool(is_new or back)


@transaction.atomic
def remove(study: Study, domain: MailDomain, by: User) -> bool:
    """Take a domain off the list; what was counted at a sealing stays. Whether it was there.

    Raises:
        Elsewhere: as for ``add``.
    """
    _check(domain.institution, by)
    if not MailDomain.objects.filter(pk=domain.pk, used=True).update(used=False):
        return False
    _record(study, history.Happened.MAIL_DOMAIN_REMOVED, domain.institution, domain.domain, by)
    return True


def institutions_of(study: Study) -> list[Institution]:
    """The institutions whose academies are listed in a study, with their domains."""
    listed = Institution.objects.filter(academies__invitations__study=study).distinct()
    return list(listed.prefetch_related("mail_domains"))


def _check(institution: Institution, by: User) -> None:
    if elsewhere(institution, by):
        raise Elsewhere(
            _(
                "Nothing was changed: %(institution)s is also in another study of your research group, in which you "
                "do not work, and its mail domains count there as well. Somebody who works in both studies, or an "
                "administrator, can change them."
            )
            % {"institution": isolated(institution)}
        )


def _record(study: Study, kind: history.Happened, institution: Institution, domain: str, by: User | None) -> None:
    for each_study in Study.objects.filter(pk=study.pk) | studies_with(institution):
        history.record(each_study, kind, by=by, detail=f"{institution}: {domain}")


def _others_in(institution: Institution, domain: str, leader: str) -> set[str]:
    """Other people of the institution whom researchers entered with an address in the domain."""
    directors = Academy.objects.filter(institution=institution, director_email__iendswith=f"@{domain}")
    leaders = Team.objects.filter(academy__institution=institution, leader_email__iendswith=f"@{domain}")
    others = {
        *directors.values_list("director_email", flat=True),
        *(
            address
            for address in leaders.values_list("leader_email", flat=True)
            if not _named_by_link(institution, address)
        ),
    }
    return {folded(address) for address in others} - {folded(leader)}


def _named_by_link(institution: Institution, email: str) -> bool:
    """Whether a director, or whoever held their link, named this address as a leader's: of that the history tells."""
    named = Event.objects.filter(participation__team__academy__institution=institution, by_link=True)
    return named.filter(kind=history.Happened.CONTACT_CHANGED, detail__iendswith=f"<{email}>").exists()
