"""Each publication keeps who stood behind each of its figures: of those already made, as far as it can still be known.

Who left an item empty is read from the answers that are still there. Of answers that are gone nothing can be known: they
count as given, and since they are gone the judge refuses whatever would cut a part out of these figures.
"""

from django.db import migrations, models


def keep(apps, schema_editor):
    get = apps.get_model
    Publication, Response = get("analysis", "Publication"), get("surveys", "Response")
    items_of, scales_of = get("analysis", "ItemResult"), get("analysis", "ReliabilityResult")
    for publication in Publication.objects.select_related("run__plan", "study").order_by("pk").iterator():
        run = publication.run
        items = sorted(set(items_of.objects.filter(run=run).values_list("item", flat=True)))
        scales = dict(scales_of.objects.filter(run=run, scale_set="final").values_list("scale", "items"))
        minimum = _minimum(run.plan.content)
        for group in publication.groups.all():
            answers = dict(
                Response.objects.filter(collection__survey=run.survey_id, key__in=group.members).values_list("key", "answers")
            )
            gone = set(group.members) - answers.keys()

            def without(wanted, least):
                return [
                    place
                    for place, key in enumerate(group.members)
                    if key not in gone and sum(type(answers[key].get(item)) is int for item in wanted) < least
                ]

            missing = {item: without([item], 1) for item in items}
            missing |= {scale: without(wanted, minimum(len(wanted))) for scale, wanted in scales.items()}
            n, k = len(group.members), publication.study.k
            group.missing = {measure: places for measure, places in missing.items() if n - len(places) >= k}
            group.save(update_fields=["missing"])


def _minimum(plan):
    """How many items a score needs: the rule of a plan (analysis/plan.py)."""
    if plan.get("minimum_rule") == "one":
        return lambda n: 1
    return lambda n: -(-2 * n // 3)


class Migration(migrations.Migration):
    dependencies = [("analysis", "0011_large_files"), ("surveys", "0009_paper_forms")]

    operations = [
        migrations.AddField(model_name="publishedgroup", name="missing", field=models.JSONField(default=dict)),
        migrations.RunPython(keep, migrations.RunPython.noop),
    ]
