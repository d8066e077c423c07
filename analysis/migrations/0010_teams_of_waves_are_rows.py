"""The teams of a comparison of waves stood in its table as one text, too long to read for a page; now each is a row."""

from django.db import migrations

NUMBERS = ("n_before", "n", "before", "mean", "difference", "low", "high")
BATCH = 2_000


def to_rows(apps, schema_editor):
    models = {name: apps.get_model("analysis", name) for name in ("ResultTable", "WaveDifference")}
    known = set(apps.get_model("teams", "Participation").objects.values_list("pk", flat=True))
    for table in models["ResultTable"].objects.filter(kind="waves", content__has_key="teams"):
        teams = table.content.pop("teams")
        models["WaveDifference"].objects.bulk_create(
            [
                models["WaveDifference"](
                    run_id=table.run_id,
                    scale=table.name,
                    participation_id=row["participation"],
                    **{name: row[name] for name in NUMBERS},
                )
                for row in teams
                if row["participation"] in known
            ],
            batch_size=BATCH,
        )
        table.save()


def to_text(apps, schema_editor):
    models = {name: apps.get_model("analysis", name) for name in ("ResultTable", "WaveDifference")}
    for table in models["ResultTable"].objects.filter(kind="waves", content__problem=""):
        rows = models["WaveDifference"].objects.filter(run_id=table.run_id, scale=table.name).order_by("pk")
        names = ("participation", *NUMBERS)
        teams = [dict(zip(names, row)) for row in rows.values_list(*names)]
        table.content = {**table.content, "teams": teams}
        table.save()


class Migration(migrations.Migration):
    dependencies = [("analysis", "0009_comparisons")]

    operations = [migrations.RunPython(to_rows, to_text)]
