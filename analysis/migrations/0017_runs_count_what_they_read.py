"""Runs kept teams that were still open as pending, and pages read them back as sealed teams that did not answer.

What a run did not read is taken out of what it keeps, and its totals are those of the teams that are left.
"""

from django.db import migrations

COUNTS = ("approached", "analysed", "not_eligible", "screened_out", "refused", "not_returned", "pending", "not_accounted_for")
ANSWERED = ("analysed", "not_eligible", "screened_out")


def only_what_was_read(apps, schema_editor):
    runs = apps.get_model("analysis", "AnalysisRun").objects
    rows = apps.get_model("analysis", "TeamCount").objects
    for pk in list(runs.filter(state="done").values_list("pk", flat=True)):
        counts = runs.values_list("counts", flat=True).get(pk=pk)
        if "teams" not in counts:
            continue
        read = {str(team) for team in rows.filter(run=pk, participation__isnull=False).values_list("participation", flat=True)}
        held = {team: people for team, people in counts["teams"].items() if _was_read(team, people, read)}
        total = {name: sum(people[name] for people in held.values()) for name in COUNTS}
        asked, analysed = total["approached"], total["analysed"]
        set_aside = total["not_eligible"] + total["screened_out"]
        counts |= total | {
            "set_aside": set_aside,
            "returned": analysed + set_aside,
            "return_rate": (analysed + set_aside) / asked if asked > 0 else None,
            "usable_rate": analysed / asked if asked > 0 else None,
            "rr1": analysed / (asked - total["not_eligible"]) if asked > total["not_eligible"] else None,
            "teams_held": len(held),
            "teams": held,
        }
        runs.filter(pk=pk).update(counts=counts)


def _was_read(team, people, read):
    """A run leaves a row for every team that it read; the oldest runs left none."""
    if people["pending"]:
        return False
    return team in read or not read or any(people[name] for name in ANSWERED)


class Migration(migrations.Migration):

    dependencies = [("analysis", "0016_published_is_promised")]

    operations = [migrations.RunPython(only_what_was_read, migrations.RunPython.noop)]
