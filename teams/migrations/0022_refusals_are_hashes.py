"""Who wants no reminders is kept as a keyed hash of the address, once, and no longer at each invitation."""

from django.db import migrations, models
from django.utils.crypto import salted_hmac


def digest_of(address):
    return salted_hmac("teams.refusals", address.strip().lower(), algorithm="sha256").hexdigest()


def hash_them(apps, schema_editor):
    """The addresses that were collected, and whoever asked since."""
    refusal = apps.get_model("teams", "Refusal")
    asked = apps.get_model("teams", "Invitation").objects.filter(no_reminders=True)
    addresses = set(refusal.objects.values_list("email", flat=True))
    addresses |= set(asked.filter(academy__isnull=False).values_list("academy__director_email", flat=True))
    addresses |= set(asked.filter(academy__isnull=True).values_list("participation__leader_email", flat=True))
    opted_out = apps.get_model("surveys", "Invitee").objects.filter(opted_out=True)
    # a removed person's address is none, and nobody's
    addresses |= set(opted_out.exclude(email__endswith="@removed.invalid").values_list("email", flat=True))
    digests = {digest_of(address) for address in addresses if address}
    refusal.objects.all().delete()
    refusal.objects.bulk_create(
        (refusal(email=f"{n}@removed.invalid", digest=digest) for n, digest in enumerate(sorted(digests))), batch_size=500
    )


class Migration(migrations.Migration):
    dependencies = [("teams", "0021_promises_and_link_codes"), ("surveys", "0017_address_checks")]

    operations = [
        migrations.AddField("refusal", "digest", models.CharField(default="", max_length=64), preserve_default=False),
        migrations.RunPython(hash_them, migrations.RunPython.noop),
        migrations.AlterField("refusal", "digest", models.CharField(max_length=64, unique=True)),
        migrations.RemoveConstraint("refusal", "refusal_in_lower_case"),
        migrations.RemoveField("refusal", "email"),
        migrations.RemoveField("refusal", "since"),
        migrations.RemoveField("invitation", "no_reminders"),
    ]
