from django.db import migrations


class Migration(migrations.Migration):
    """Apart from filling the new column: PostgreSQL alters no table in which it has just changed rows."""

    dependencies = [
        ("analysis", "0028_rwg_by_null"),
    ]

    operations = [
        migrations.RemoveField(model_name="agreementresult", name="rwg_skewed"),
        migrations.RemoveField(model_name="agreementresult", name="rwg_uniform"),
    ]
