"""Production settings as an installation has them, on a database of the test and with mail that stays in memory.

The environment is set before config.settings is read, so what stands there of production is what is tested.
"""

import os
import tempfile

from scripts.check import PRODUCTION

url = os.environ.get("TEST_DATABASE_URL")
folder = tempfile.mkdtemp(prefix="teamspiegel-test-")
os.environ.update(
    PRODUCTION
    | {
        "TEAMSPIEGEL_VAR": folder,
        "DATABASE_URL": url or f"sqlite:///{folder}/none.sqlite3",
        "CELERY_BROKER_URL": "memory://",
    }
)

from config.settings import *  # noqa: E402, F403
from config.settings import DATABASES, STORAGES, VAR_DIR  # noqa: E402

if url:
    DATABASES["default"]["OPTIONS"].pop("pool")  # a pool holds connections, and the test database could not be dropped
    DATABASES["default"]["TEST"] = {"NAME": f"test_production_{os.getpid()}"}
else:
    DATABASES["default"]["TEST"] = {"NAME": str(VAR_DIR / "test.sqlite3")}
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
WHITENOISE_AUTOREFRESH = True  # no manifest, no scan of the static files
LIMITS_DIR = VAR_DIR
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
