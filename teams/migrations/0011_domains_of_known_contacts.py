"""The domains of the directors on the list, and of leaders where two people of an institution have them."""

from collections import defaultdict

from django.db import migrations

from teams.text.addresses import domain_of, folded, is_free_mail


def learn(apps, schema_editor):
    academies = apps.get_model("teams", "Academy").objects.values_list("institution_id", "director_email")
    leaders = apps.get_model("teams", "Team").objects.values_list("academy__institution_id", "leader_email")
    people = defaultdict(set)
    for institution, address in [*academies, *leaders]:
        people[institution, domain_of(address)].add(folded(address))
    known = {(institution, domain_of(address)) for institution, address in academies}
    known |= {both for both, addresses in people.items() if len(addresses) > 1}
    domains = apps.get_model("teams", "MailDomain")
    for institution, domain in sorted(known):
        if domain and not is_free_mail(domain):
            domains.objects.get_or_create(institution_id=institution, domain=domain)


class Migration(migrations.Migration):
    dependencies = [("teams", "0010_mail_domains")]

    operations = [migrations.RunPython(learn, migrations.RunPython.noop)]
