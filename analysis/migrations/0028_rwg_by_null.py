from django.db import migrations, models
from django.db.models.functions import JSONObject


def by_null(apps, schema_editor):
    """Earlier runs under the names of what they were: the second null was the uniform, unless the plan has another one."""
    Plan, Agreement = apps.get_model("analysis", "AnalysisPlan"), apps.get_model("analysis", "AgreementResult")
    for plan in Plan.objects.all():
        shares = plan.content["agreement"]["skewed_null"]
        known = {"uniform": "rwg_uniform"}
        if max(shares) - min(shares) >= 1e-9:
            known["own"] = "rwg_skewed"
        of_teams = Agreement.objects.filter(run__plan=plan.pk, participation__isnull=False)
        of_teams.update(rwg=JSONObject(**known))


class Migration(migrations.Migration):

    dependencies = [
        ("analysis", "0027_plan_known"),
    ]

    operations = [
        migrations.AddField(
            model_name="agreementresult",
            name="rwg",
            field=models.JSONField(default=dict),
        ),
        migrations.RunPython(by_null, migrations.RunPython.noop, elidable=True),
    ]
