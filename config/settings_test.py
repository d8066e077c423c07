"""Settings of the tests: a file database (threads share an in-memory one), or PostgreSQL by TEST_DATABASE_URL.

Everything is kept in a folder of its own per pytest process, which tests/conftest.py removes at the end.
"""

import os
import tempfile

os.environ["TEAMSPIEGEL_VAR"] = tempfile.mkdtemp(prefix="teamspiegel-test-")
os.environ.pop("DATABASE_URL", None)
if url := os.environ.get("TEST_DATABASE_URL"):
    os.environ["DATABASE_URL"] = url

from config.settings import *  # noqa: F403
from config.settings import DATABASES, STORAGES, VAR_DIR

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["TEST"] = {"NAME": str(VAR_DIR / "test.sqlite3")}
    DATABASES["default"]["OPTIONS"]["init_command"] = (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA secure_delete=ON;"
    )
else:
    DATABASES["default"]["OPTIONS"].pop("pool")  # a pool holds connections, and the test database could not be dropped
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
LIMITS_DIR = VAR_DIR
DEMO_REAL_STUDIES = True
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
CELERY_BROKER_URL = "memory://"
CELERY_BROKER_TRANSPORT_OPTIONS = {}
WHITENOISE_AUTOREFRESH = True  # no manifest, no scan of the static files
