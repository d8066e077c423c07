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
from urllib.parse import urlsplit

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from config.mail_provider import provider_of, settings_of
from config.schedule import (  # noqa: F401  settings that Celery reads
    CELERY_BEAT_SCHEDULE,
    CELERY_TASK_DEFAULT_QUEUE,
    CELERY_TASK_ROUTES,
    WAKE_UP_LASTS,
)

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

os.umask(0o077)  # whatever this process writes is its own account's alone: 0700 and 0600
VAR_DIR = Path(env.str("TEAMSPIEGEL_VAR", default=str(BASE_DIR / "var"))).resolve()
VAR_DIR.mkdir(parents=True, exist_ok=True)
_owner = VAR_DIR.stat().st_uid
if PRODUCTION and _owner != os.geteuid():
    # what root writes there the service could not read, or would not start with: say so before anything is written
    raise ImproperlyConfigured(
        f"The folder {VAR_DIR} belongs to account {_owner} and this is account {os.geteuid()}. Run this as the account of"
        f" the service (sudo -u teamspiegel …), or give it the folder: chown -R teamspiegel {VAR_DIR}"
    )
if _owner == os.geteuid():
    VAR_DIR.chmod(0o700)


def _secret(name: str, n_bytes: int = 48) -> str:
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
            file.write(secrets.token_urlsafe(n_bytes))
        # a link either appears whole or not at all: of two processes that start together both read the same secret
        with contextlib.suppress(FileExistsError):
            os.link(file.name, path)
        os.unlink(file.name)
    return path.read_text()


SECRET_KEY = _secret("SECRET_KEY")
# Keys of before, the newest first: what they signed is still read, and kept hashes are still found (docs/deployment.md)
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
# The demo's accounts: drawn for each installation and printed at its start, so that nobody else's are known
DEMO_PASSWORDS = {} if PRODUCTION else {who: _secret(f"DEMO_{who}", 12) for who in ("RESEARCHER", "ADMINISTRATOR")}
# The demo is open to whoever reaches it: a study with real people opens there only if somebody says so
DEMO_REAL_STUDIES = env.bool("DEMO_REAL_STUDIES", default=False)


# ------------------------------------------------------------------------------------------------ addresses
def _demo_hosts() -> list[str]:
    """What the demo answers to: this machine, the name that its links begin with, and the one it was told to listen on.

    To no other name: a page elsewhere whose name is made to lead here would read the demo's mailbox in a visitor's browser.
    """
    hosts = ["localhost", "127.0.0.1", "[::1]"]
    listening = env.str("HOST", default="")
    for address in (BASE_URL, f"http://{listening}" if listening not in ("0.0.0.0", "::") else ""):  # noqa: S104
        host = urlsplit(address).hostname or ""
        hosts.append(f"[{host}]" if ":" in host else host)
    return sorted(set(hosts) - {""})


BASE_URL = env.str("BASE_URL", default="" if PRODUCTION else "http://127.0.0.1:8000").rstrip("/")
if not BASE_URL:
    raise ImproperlyConfigured("Set BASE_URL in the environment: the address that links in mails begin with.")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[] if PRODUCTION else _demo_hosts())
if PRODUCTION and not ALLOWED_HOSTS:
    raise ImproperlyConfigured("Set ALLOWED_HOSTS in the environment: the host names that the server answers to.")
if PRODUCTION and any(host in ("*", ".", "") for host in ALLOWED_HOSTS):
    raise ImproperlyConfigured("ALLOWED_HOSTS must name the host names: with '*' anybody's name would be ours.")
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
    "config.requests.UnreadableMiddleware",
    "config.answering.AnsweringMiddleware",  # the teacher's pages skip what follows
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "config.no_store.NoStoreMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "config.language.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "teams.accounts.denied.DeniedMiddleware",
    "teams.accounts.signed_out.SignInMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "teams.accounts.sign_in.SecondFactorMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "teams.base.typed.TypedMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "teams.base.away.AwayMiddleware",
    "teams.base.once.OnceMiddleware",  # the last: what is refused before it is no act
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
PAGES_OF = ["teams.text.isolating.Loader", "django.template.loaders.app_directories.Loader"]
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "loaders": [("django.template.loaders.cached.Loader", PAGES_OF)],
            "builtins": ["teams.text.isolating"],
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
    # PostgreSQL keeps the plans of the teacher's statements (surveys/answering/statements.py); the ORM's are not prepared.
    "django.db.backends.postgresql": {
        "pool": {"min_size": 1, "max_size": env.int("DATABASE_POOL", default=8), "timeout": 5},
        "prepare_threshold": 5,
    },
}
# a connection is tried before it is given out: after PostgreSQL restarted none of the old ones costs somebody a page
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DATABASES["default"].setdefault("OPTIONS", {}).update(DATABASE_OPTIONS.get(DATABASES["default"]["ENGINE"], {}))
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# Raw keys of collections live outside the database and its backups (docs/data-protection.md)
COLLECTION_KEYS_DIR = Path(env.str("COLLECTION_KEYS_DIR", default=str(VAR_DIR / "keys")))
# Where wrong codes are counted for ten minutes, seen by all processes: in memory, in no backup (surveys/answering/limits.py)
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
    {"NAME": "teams.accounts.own_words.OwnWordsValidator"},
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
ACCOUNT_ADAPTER = "teams.accounts.sign_in.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"  # there is no sign-up; a leader's address is proven by the mailed code
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 600
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
    # how often an address without an account is told so, and all of them together (teams/accounts/sign_in.py)
    "unknown_address": "1/d/key",
    "unknown_addresses": "20/h/key",
}
ACCOUNT_FORMS = {"confirm_login_code": "teams.accounts.forms.CodeForm"}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_TOTP_ISSUER = "Teamspiegel"
MFA_FORMS = {"activate_totp": "teams.accounts.forms.ActivateForm"}
# allauth refuses a second factor while an address waits to be confirmed, for sites where strangers sign up with anybody's
# address. Nobody signs up here, and the password itself was chosen by a mailed link; every such mail makes a row like that.
MFA_ALLOW_UNVERIFIED_EMAIL = True
# Researchers need a second factor; the demo's invented researchers have none to hold
SECOND_FACTOR_REQUIRED = env.bool("SECOND_FACTOR_REQUIRED", default=PRODUCTION)
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "start"
LOGOUT_REDIRECT_URL = "home"
SESSION_ENGINE = "config.sessions"
SESSION_SERIALIZER = "config.sessions.Sealed"
SESSION_COOKIE_AGE = 12 * 3600  # from signing in, whatever is done meanwhile
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = SECURE
CSRF_FAILURE_VIEW = "config.forged.failed"
SESSION_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
# Over https browsers take such a name from this host only, for all its paths, so that no neighbour gives a visitor another one
COOKIE_PREFIX = "__Host-" if SECURE else ""
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = f"{COOKIE_PREFIX}sessionid", f"{COOKIE_PREFIX}csrftoken"
LANGUAGE_COOKIE_NAME = f"{COOKIE_PREFIX}django_language"
MESSAGE_STORAGE = "config.messages.Storage"

# ------------------------------------------------------------------------------------------------ headers
SECURE_SSL_REDIRECT = SECURE
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if SECURE else 0
# These two bind the whole domain, other servers of the institution too, and are hard to take back: its own decision
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("HSTS_SUBDOMAINS", default=False)
SECURE_HSTS_PRELOAD = env.bool("HSTS_PRELOAD", default=False)
# The first two advise them to everybody; the last warns that our i18n tags go before Django's, which is meant: they isolate names
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021", "templates.W003"]
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
        "object-src": [NONE],  # as the one before says; some look for it by name
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
LANGUAGE_TAGS = {"nl": "nl-NL", "en": "en-GB"}  # for files that ask for a region; of other languages the code alone
SOURCE_LANGUAGE = "en"  # of the texts in the code: what has no translation is read in it
LOCALE_PATHS, FORMAT_MODULE_PATH = [BASE_DIR / "locale"], ["config.formats"]  # British dates
USE_I18N = USE_TZ = True
TIME_ZONE = env.str("TIME_ZONE", default="Europe/Amsterdam")

# ------------------------------------------------------------------------------------------------ files
STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static", ("handbook", BASE_DIR / "docs" / "handbook" / "pictures")]
STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
MEDIA_ROOT = VAR_DIR / "media"
FILE_UPLOAD_PERMISSIONS, FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o600, 0o700  # static files too; Django makes them 0644
DATA_UPLOAD_MAX_MEMORY_SIZE, FILE_UPLOAD_MAX_MEMORY_SIZE = 1_000_000, 5_000_000

# ------------------------------------------------------------------------------------------------ mail
MAIL_DIR = VAR_DIR / "mail"
DEFAULT_FROM_EMAIL = env.str("MAIL_FROM", default="Teamspiegel <noreply@teamspiegel.example>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
MAIL_PROVIDER = ""
ANYMAIL: dict[str, Any] = {}
EMAIL_TIMEOUT = 5  # to reach the mail server; once it answers it has longer (teams/mail/server.py)
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
# How long a claim on a row holds before another worker may take it over; the worker renews it while it works
LEASE_SECONDS = env.int("LEASE_SECONDS", default=60)

# ------------------------------------------------------------------------------------------------ logs
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "config.logs.Cut",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
            "datefmt": "%Y-%m-%d %H:%M",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        "fontTools": {"level": "WARNING"},
        # these bring handlers of their own: Django's would mail whole requests, Granian's does not cut
        **{name: {"handlers": []} for name in ("django", "django.server")},
        "_granian": {"handlers": ["console"], "propagate": False},
        "granian.access": {"handlers": ["console"], "propagate": False},
        # the security log is kept whatever LOG_LEVEL says; the demo, made through the same steps, is quiet at its start
        "teamspiegel.security": {"level": "INFO" if PRODUCTION else "NOTSET"},
    },
}
