"""Settings: everything from the environment, with defaults that run the demo on one machine.

Two environments. ``demo`` (default) needs nothing: SQLite, a folder as broker, mail as files, secrets made at the first
start under ``var/``. ``production`` demands its secrets, its hosts and its addresses, and refuses the demo.
"""

import contextlib
import os
import secrets
import tempfile
from pathlib import Path
from typing import Any

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from config.mail_provider import provider_of, settings_of

# One thread per process for linear algebra, set before numpy is imported: the matrices are small, so that threads only wait
# for each other (the demo's analysis took three times the processor time with two), and sums come out the same every time.
for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

env = environ.Env()
BASE_DIR = Path(__file__).resolve().parent.parent

ENVIRONMENT = env.str("TEAMSPIEGEL_ENV", default="demo")
if ENVIRONMENT not in ("demo", "production"):
    raise ImproperlyConfigured(f"TEAMSPIEGEL_ENV is '{ENVIRONMENT}'; it must be 'demo' or 'production'.")
PRODUCTION = ENVIRONMENT == "production"
DEBUG = env.bool("DEBUG", default=False)
if PRODUCTION and DEBUG:
    raise ImproperlyConfigured("DEBUG shows secrets to visitors: it cannot be on in production.")

VAR_DIR = Path(env.str("TEAMSPIEGEL_VAR", default=str(BASE_DIR / "var"))).resolve()
VAR_DIR.mkdir(parents=True, exist_ok=True)


def _secret(name: str) -> str:
    """A secret of the environment; outside production made once and kept in ``var/secrets/``, readable by its owner."""
    value: str = env.str(name, default="")
    if value:
        return value
    if PRODUCTION:
        raise ImproperlyConfigured(f"Set {name} in the environment: production makes no secrets of its own.")
    path = VAR_DIR / "secrets" / name.lower()
    if not path.exists():
        path.parent.mkdir(mode=0o700, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as file:  # readable by its owner only
            file.write(secrets.token_urlsafe(48))
        # a link either appears whole or not at all: of two processes that start together both read the same secret
        with contextlib.suppress(FileExistsError):
            os.link(file.name, path)
        os.unlink(file.name)
    return path.read_text()


SECRET_KEY = _secret("SECRET_KEY")

# ------------------------------------------------------------------------------------------------ addresses
BASE_URL = env.str("BASE_URL", default="" if PRODUCTION else "http://127.0.0.1:8000").rstrip("/")
if not BASE_URL:
    raise ImproperlyConfigured("Set BASE_URL in the environment: the address that links in mails begin with.")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[] if PRODUCTION else ["*"])
if PRODUCTION and not ALLOWED_HOSTS:
    raise ImproperlyConfigured("Set ALLOWED_HOSTS in the environment: the host names that the server answers to.")
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[BASE_URL])
SECURE = env.bool("SECURE", default=PRODUCTION)  # https throughout; off only for the demo on a local network

# ------------------------------------------------------------------------------------------------ application
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "crispy_forms",
    "crispy_bootstrap5",
    "django_htmx",
    "csp",
    "teams",
    "surveys",
    "analysis",
    "config",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "config.answering.AnsweringMiddleware",  # the teacher's pages skip what follows
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "config.language.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "teams.accounts.SecondFactorMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.pages.site",
            ],
        },
    },
]
CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"
FORM_RENDERER = "django.forms.renderers.DjangoTemplates"

# ------------------------------------------------------------------------------------------------ database
DATABASES: dict[str, dict[str, Any]] = {
    "default": env.db_url("DATABASE_URL", default="" if PRODUCTION else f"sqlite:///{VAR_DIR / 'teamspiegel.sqlite3'}")
}
if PRODUCTION and "DATABASE_URL" not in env.ENVIRON:
    raise ImproperlyConfigured("Set DATABASE_URL in the environment, for instance postgres://user:secret@host/name.")
DATABASE_OPTIONS: dict[str, dict[str, Any]] = {
    # FULL: an acknowledged answer is on the disk. IMMEDIATE: a write waits for its turn instead of failing half-way.
    "django.db.backends.sqlite3": {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;",
    },
    # PostgreSQL keeps the plans of the teacher's statements (surveys/statements.py); the ORM's are not prepared.
    "django.db.backends.postgresql": {
        "pool": {"min_size": 1, "max_size": env.int("DATABASE_POOL", default=8)},
        "prepare_threshold": 5,
    },
}
DATABASES["default"].setdefault("OPTIONS", {}).update(DATABASE_OPTIONS.get(DATABASES["default"]["ENGINE"], {}))
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# Raw keys of collections live outside the database and its backups (docs/data-protection.md)
COLLECTION_KEYS_DIR = Path(env.str("COLLECTION_KEYS_DIR", default=str(VAR_DIR / "keys")))
# Where wrong codes are counted for ten minutes, seen by all processes: in memory, in no backup (surveys/limits.py)
SHARED_MEMORY = "/dev/shm"  # noqa: S108 the folder made there is this account's alone
LIMITS_DIR = Path(
    env.str("LIMITS_DIR", default=SHARED_MEMORY if os.access(SHARED_MEMORY, os.W_OK) else tempfile.gettempdir())
)
# The cache holds sign-in limits and used one-time codes only, in a folder beside those counts
CACHES = {
    "default": {
        "BACKEND": "config.shared_cache.SharedCache",
        "LOCATION": str(LIMITS_DIR.resolve()),
        "OPTIONS": {"MAX_ENTRIES": 20_000},
    }
}
# The list of sealed collections, replayed by `manage.py replay_seals` after a database backup has been restored
SEAL_LIST = Path(env.str("SEAL_LIST", default=str(VAR_DIR / "sealed.txt")))

# ------------------------------------------------------------------------------------------------ people
AUTH_USER_MODEL = "teams.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
ACCOUNT_ADAPTER = "teams.accounts.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"  # there is no sign-up; a leader's address is proven by the mailed code
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 900
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = False
# Per account as allauth has it. Per address more than that: a school stands behind one (docs/limits.md)
ACCOUNT_RATE_LIMITS = {
    "login": "120/m/ip",
    "login_failed": "60/m/ip,5/300s/key",
    "request_login_code": "60/m/ip,3/m/key",
    "reset_password": "60/m/ip,5/m/key",
    "reset_password_from_key": "60/m/ip",
}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_TOTP_ISSUER = "Teamspiegel"
# Researchers need a second factor; the demo's invented researchers have none to hold
SECOND_FACTOR_REQUIRED = env.bool("SECOND_FACTOR_REQUIRED", default=PRODUCTION)
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "start"
LOGOUT_REDIRECT_URL = "home"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = SECURE
SESSION_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600

# ------------------------------------------------------------------------------------------------ headers
SECURE_SSL_REDIRECT = SECURE
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE
# Links carry tokens, so no other site is told where a visitor came from. Not "no-referrer": browsers would then send the
# forms of our own pages with "Origin: null", which the protection against forged forms refuses.
SECURE_REFERRER_POLICY = "same-origin"
if env.bool("BEHIND_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    ALLAUTH_TRUSTED_PROXY_COUNT = 1  # sign-in limits count the visitor's address, not the proxy's
SECURE_REDIRECT_EXEMPT = [r"^health$"]
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "worker-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}

# ------------------------------------------------------------------------------------------------ language and time
LANGUAGE_CODE = "nl"
LANGUAGES = [("nl", _("Dutch")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = USE_TZ = True
TIME_ZONE = env.str("TIME_ZONE", default="Europe/Amsterdam")

# ------------------------------------------------------------------------------------------------ files
STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
MEDIA_ROOT = VAR_DIR / "media"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
FILE_UPLOAD_MAX_MEMORY_SIZE = 5_000_000

# ------------------------------------------------------------------------------------------------ mail
MAIL_DIR = VAR_DIR / "mail"
DEFAULT_FROM_EMAIL = env.str("MAIL_FROM", default="Teamspiegel <noreply@teamspiegel.example>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
MAIL_PROVIDER = ""
ANYMAIL: dict[str, Any] = {}
EMAIL_TIMEOUT = 30
# "user:secret" that the mail provider shows when it reports what became of a mail (/mail/events); empty: no reports are taken
MAIL_EVENTS_SECRET = env.str("MAIL_EVENTS_SECRET", default="")
if provider_of(env.str("EMAIL_URL", default="")):
    vars().update(settings_of(env.str("EMAIL_URL"), MAIL_EVENTS_SECRET))
elif "EMAIL_URL" in env.ENVIRON:
    vars().update(env.email_url("EMAIL_URL"))
elif PRODUCTION:
    raise ImproperlyConfigured("Set EMAIL_URL in the environment, for instance smtp+tls://user:secret@host:587.")
else:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = MAIL_DIR

# When mails go out, days as digits from 1 for Monday: "12345 08:00-18:00"; empty: at any time. A study may have its own hours.
MAIL_HOURS = env.str("MAIL_HOURS", default="")
MAIL_PER_MINUTE = env.int("MAIL_PER_MINUTE", default=0)  # what the mail server allows, for the whole site; 0: no limit

# The mailbox of MAIL_FROM, where mails come back that could not be delivered: imaps://user:secret@host/INBOX or
# maildir:///folder; empty: none is read
BOUNCES_URL = env.str("BOUNCES_URL", default="")

# ------------------------------------------------------------------------------------------------ Celery
BROKER_DIR = VAR_DIR / "broker"
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default="filesystem://localhost")
if CELERY_BROKER_URL.startswith("filesystem:"):
    for folder in ("queue", "control"):
        (BROKER_DIR / folder).mkdir(parents=True, exist_ok=True)
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(BROKER_DIR / "queue"),
        "data_folder_out": str(BROKER_DIR / "queue"),
        "control_folder": str(BROKER_DIR / "control"),
    }
CELERY_TASK_IGNORE_RESULT = True  # the database row is the queue and the result (docs/adr)
CELERY_TASK_ACKS_LATE = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = TIME_ZONE
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "celerybeat-schedule")
CELERY_BEAT_SCHEDULE = {
    # beat only wakes: what is due stands in the database. A wake-up that waited too long is of no use: it expires.
    "mail": {"task": "teams.send_due_mail", "schedule": 10.0, "options": {"expires": 10}},
    "bounces": {"task": "teams.read_bounces", "schedule": 300.0, "options": {"expires": 300}},
    "reminders": {"task": "teams.send_due_reminders", "schedule": 600.0, "options": {"expires": 600}},
    "collections": {"task": "surveys.seal_due_collections", "schedule": 15.0, "options": {"expires": 15}},
    "rounds": {"task": "surveys.send_due_rounds", "schedule": 30.0, "options": {"expires": 30}},
    "withdrawals": {"task": "analysis.carry_out_withdrawals", "schedule": 15.0, "options": {"expires": 15}},
    "runs": {"task": "analysis.start_due_runs", "schedule": 10.0, "options": {"expires": 10}},
    "files": {"task": "analysis.wake_for_prepared_files", "schedule": 15.0, "options": {"expires": 15}},
    "reports": {"task": "analysis.wake_for_report_files", "schedule": 10.0, "options": {"expires": 10}},
}
# How long a claim on a row holds before another worker may take it over; the worker renews it while it works
LEASE_SECONDS = env.int("LEASE_SECONDS", default=60)

# ------------------------------------------------------------------------------------------------ logs
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s", "datefmt": "%Y-%m-%d %H:%M"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {"fontTools": {"level": "WARNING"}},
}
