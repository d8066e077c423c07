"""An institution that was copied for a research group has the domains of its contacts too."""

import importlib

from django.db import migrations

earlier = importlib.import_module("teams.migrations.0011_domains_of_known_contacts")


class Migration(migrations.Migration):
    dependencies = [("teams", "0018_slips")]

    operations = [migrations.RunPython(earlier.learn, migrations.RunPython.noop)]
