"""In a team that met, a response that says that it came by a personal link names the one who was absent: no row says so.

The limit of joins counts all responses, and gives each personal link a place of its own.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("surveys", "0022_reminders_go_to_everybody")]

    operations = [migrations.RemoveField(model_name="response", name="by_link")]
