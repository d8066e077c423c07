"""Settings of the tests: a file database (threads share an in-memory one), or PostgreSQL by TEST_DATABASE_URL."""

import os
import tempfile

_var = os.environ.setdefault("TEAMSPIEGEL_VAR", tempfile.mkdtemp(prefix="teamspiegel-test-"))
if url := os.environ.get("TEST_DATABASE_URL"):
    os.environ["DATABASE_URL"] = url

from config.settings import *  # noqa: E402, F403
from config.settings import DATABASE_OPTIONS, DATABASES, STORAGES, VAR_DIR  # noqa: E402

DATABASES["default"]["TEST"] = (
    {"NAME": str(VAR_DIR / "test.sqlite3")} if DATABASES["default"]["ENGINE"].endswith("sqlite3") else {}
)
if not DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        k: v for k, v in DATABASE_OPTIONS.items() if False
    }  # no pool: tests drop databases
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
CELERY_TASK_ALWAYS_EAGER = False
CELERY_BROKER_URL = "memory://"
WHITENOISE_AUTOREFRESH = True
