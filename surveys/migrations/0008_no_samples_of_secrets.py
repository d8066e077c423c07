from django.db import migrations

# PostgreSQL keeps samples of columns for its planner, and VACUUM FULL of a table leaves them: old response keys, nonces and
# hashes would outlive the sealing there. All of these are looked up by unique indexes or not at all, so nothing is lost.
COLUMNS = [
    ("surveys_response", "key"),
    ("surveys_response", "answers"),
    ("surveys_invitee", "nonce"),
    ("surveys_invitee", "token_hash"),
]


def without_samples(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for table, column in COLUMNS:
            schema_editor.execute(f'ALTER TABLE "{table}" ALTER COLUMN "{column}" SET STATISTICS 0')


class Migration(migrations.Migration):
    dependencies = [("surveys", "0007_scales_and_items_are_in_the_draft")]

    operations = [migrations.RunPython(without_samples, migrations.RunPython.noop)]
