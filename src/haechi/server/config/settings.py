"""Django settings. Everything that differs between installations comes from `environ`."""

from datetime import timedelta
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.utils.csp import CSP

from haechi.server.config.database import connection_settings
from haechi.server.config.environ import Environment

HAECHI = Environment.read()

# B03: equal peppers would make the lookup value in the database the key that opens the report.
if len({HAECHI.pepper_lookup, HAECHI.pepper_unlock, HAECHI.digest_key}) != 3:
    raise ImproperlyConfigured("the peppers and the digest key must all be different")
_VAULT = HAECHI.vault_identity_file or HAECHI.vault_identity_command
if HAECHI.surface == "public" and (_VAULT or HAECHI.vault_passphrase_file):
    raise ImproperlyConfigured("the public process must not be given the vault identity")
if HAECHI.surface == "public" and HAECHI.desk_secret_file is not None:
    raise ImproperlyConfigured("the public process must not be given the desk's secret")

# What one side seals or signs, the other cannot: second factors and sessions are the desk's.
SECRET_KEY = HAECHI.desk_secret() or HAECHI.secret_key
DEBUG = False
ALLOWED_HOSTS = [
    "*"
]  # Addresses are checked by the proxy in front; no page builds links from Host.
USE_TZ = True
TIME_ZONE = "UTC"
ROOT_URLCONF = (
    "haechi.server.config.urls_public"
    if HAECHI.surface == "public"
    else "haechi.server.config.urls_desk"
)

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "procrastinate.contrib.django",
    "haechi.server.audit",
    "haechi.server.staff",
    "haechi.server.reports",
    "haechi.server.evidence",
    "haechi.server.matching",
    "haechi.server.tracing",
    "haechi.server.cases",
    "haechi.server.notices",
    "haechi.server.appeals",
    "haechi.server.transparency",
    "haechi.server.public",
    "haechi.server.desk",
    "haechi.server.config",
]

_COMMON = [
    "haechi.server.config.middleware.SecurityHeaders",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "haechi.server.config.static.StaticFiles",
]
# The anonymous site has no sessions and no accounts: what is not loaded cannot leak.
MIDDLEWARE_PUBLIC = [
    *_COMMON,
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "haechi.server.config.middleware.OnlyUtf8",
]
MIDDLEWARE_DESK = [
    *_COMMON,
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "haechi.server.config.middleware.OnlyUtf8",
]
MIDDLEWARE = MIDDLEWARE_PUBLIC if HAECHI.surface == "public" else MIDDLEWARE_DESK

DATABASES = {"default": connection_settings(HAECHI)}
PROCRASTINATE_IMPORT_PATHS = ["haechi.server.flow"]

_HERE = Path(__file__).parent
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [_HERE / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.template.context_processors.csrf",
                "haechi.server.config.context.surface",
                "haechi.server.config.context.alerts",
            ]
        },
    }
]
BLOBS = HAECHI.home / "blobs"

STATIC_URL = "/static/"
STATICFILES_DIRS: list[str] = []

LANGUAGES = [("ko", "한국어"), ("zh-hans", "中文"), ("en", "English")]
LANGUAGE_CODE = "en"
LOCALE_PATHS = [_HERE.parent / "locale"]
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Strict"
LANGUAGE_COOKIE_SECURE = HAECHI.secure_cookies

AUTH_USER_MODEL = "staff.User"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "desk:login"

SESSION_ENGINE = "haechi.server.staff.sessions"
SESSION_COOKIE_AGE = int(timedelta(hours=10).total_seconds())
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Strict"
SESSION_COOKIE_SECURE = HAECHI.secure_cookies
CSRF_COOKIE_SAMESITE = "Strict"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SECURE = HAECHI.secure_cookies
CSRF_FAILURE_VIEW = "haechi.server.config.failures.csrf"
# Cookies are told apart by name, since browsers do not separate them by port.
SESSION_COOKIE_NAME = "haechi_desk"
CSRF_COOKIE_NAME = f"haechi_{HAECHI.surface}_csrf"

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_CSP = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF],
    "style-src": [CSP.SELF],
    "img-src": [CSP.SELF],
    # A video whose fingerprint is made in the browser is played from the browser's own memory.
    "media-src": [CSP.SELF, "blob:"],
    "worker-src": [CSP.SELF],
    "font-src": [CSP.SELF],
    "connect-src": [CSP.SELF],
    "form-action": [CSP.SELF],
    "base-uri": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
}

# One exhibit through the form, in one request.
UPLOAD_LIMIT_BYTES = 50 * 1024 * 1024
UPLOADS_PER_REPORT = 5
# Files of which only the fingerprint is told. With 300 frames each they fit into the limit below.
FINGERPRINTS_PER_REPORT = 10
# One exhibit that the browser seals and sends in pieces; and all of one page, also removed ones.
SEALED_LIMIT_BYTES = 2 * 1024**3
SEALED_PAGE_LIMIT_BYTES = 5 * 1024**3
SEALED_UPLOADS_PER_PAGE = 12
# A connection that breaks loses one piece; each is synced to the disk before it is acknowledged.
PIECE_BYTES = 4 * 1024 * 1024
# Uploads leave this much of the disk to reports without files, to the database and to the log.
UPLOAD_RESERVE_BYTES = 1024**3
# An upload that nobody goes on with is forgotten; a finished one waits as long as its page may.
UPLOAD_IDLE = timedelta(hours=3)
UPLOAD_WAITS = timedelta(hours=27)
# Fields only; files are streamed into their envelope and never held (B12).
DATA_UPLOAD_MAX_MEMORY_SIZE = 512 * 1024
FILE_UPLOAD_HANDLERS = ["haechi.server.evidence.sealing.SealingUploadHandler"]

# B08: a visit to one's own report ends by the server's clock.
VISIT_IDLE = timedelta(minutes=20)
VISIT_ABSOLUTE = timedelta(hours=2)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "filters": {"no_paths": {"()": "haechi.server.config.logs.NoPaths"}},
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["no_paths"],
        }
    },
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    # Request logs would carry addresses and paths of anonymous people.
    "loggers": {
        "django.request": {"level": "ERROR"},
        "haechi": {"level": "INFO"},
        # aiosmtpd's, which names the peer and what it typed.
        "mail.log": {"level": "CRITICAL"},
    },
}
