"""What is not sealed yet stands under a keyed hash of the key that its device holds (surveys/row_keys.py), as of now.

Of sealed responses nobody holds a key. One by one, in the order of the new keys, which says nothing: on PostgreSQL a changed
row moves to the end of its table. Not to be undone: from a hash there is no way back.
"""

from django.db import migrations

from surveys.keys.row_keys import row_key


def under_hashes(apps, schema_editor):
    responses = apps.get_model("surveys", "Response").objects
    forms = apps.get_model("surveys", "PaperForm").objects
    unsealed = responses.exclude(collection__state="sealed").values_list("key", flat=True)
    for new, old in sorted((row_key(old), old) for old in unsealed):
        responses.filter(key=old).update(key=new)
        forms.filter(response_key=old).update(response_key=new)


class Migration(migrations.Migration):
    dependencies = [("surveys", "0019_paper_by_link")]

    operations = [migrations.RunPython(under_hashes, migrations.RunPython.noop)]
