"""All settings, each from the environment. docs/reference/settings.md lists them."""

import os
import secrets
from pathlib import Path

from django.conf.locale import LANG_INFO
from django.utils.translation import to_language

from .database import database


def _flag(name: str, default: bool) -> bool:
    return os.environ.get(name, "1" if default else "0").lower() in {"1", "true", "yes", "on"}


def _list(name: str, default: str = "") -> list[str]:
    return [part.strip() for part in os.environ.get(name, default).split(",") if part.strip()]


PACKAGE = Path(__file__).resolve().parent.parent
HOME = Path(
    os.environ.get("RAPPORT_HOME")
    or Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "rapport"
)
HOME.mkdir(parents=True, exist_ok=True, mode=0o700)


def _secret_key() -> str:
    """RAPPORT_SECRET_KEY, or one made once and kept in RAPPORT_HOME."""
    if key := os.environ.get("RAPPORT_SECRET_KEY"):
        return key
    file = HOME / "secret-key"
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file.read_text().strip()
    with os.fdopen(descriptor, "w") as stream:
        stream.write(secrets.token_urlsafe(50))
    return file.read_text().strip()


SECRET_KEY = _secret_key()
DEBUG = _flag("RAPPORT_DEBUG", False)
ALLOWED_HOSTS = _list("RAPPORT_HOSTS", "127.0.0.1,localhost,[::1]")
CSRF_TRUSTED_ORIGINS = _list("RAPPORT_ORIGINS")
BEHIND_TLS = _flag("RAPPORT_TLS", False)
if BEHIND_TLS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 31_536_000

DATABASES = {
    "default": database(os.environ.get("DATABASE_URL") or f"sqlite:///{HOME / 'rapport.db'}")
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "rapport.User"

INSTALLED_APPS = [
    "rapport.apps.RapportConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "axes",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    # Refuses strange host names on every request, and adds a missing slash.
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "rapport.web.middleware.ViewerMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "rapport.config.urls"
WSGI_APPLICATION = "rapport.config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [PACKAGE / "web" / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.messages.context_processors.messages",
            ],
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    ["django.template.loaders.filesystem.Loader"],
                )
            ],
        },
    }
]

# -- sign-in ------------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "home"
AXES_FAILURE_LIMIT = int(os.environ.get("RAPPORT_SIGN_IN_TRIES", "10"))
AXES_COOLOFF_TIME = 0.25  # hours
# Tries during the lock-out do not prolong it: the page promises an end.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
# The name under which authenticate() gets the address; axes would look for "email".
AXES_USERNAME_FORM_FIELD = "username"
AXES_CLIENT_IP_CALLABLE = "rapport.limits.address"
AXES_DISABLE_ACCESS_LOG = True
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_CALLABLE = "rapport.web.signin.locked_out"
AXES_RESET_ON_SUCCESS = True
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BEHIND_TLS
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_NAME = "rapport_session"
CSRF_COOKIE_NAME = "rapport_csrf"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "rapport.web.errors.csrf_failure"
MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}


# -- language, time, files ----------------------------------------------------------------------
def _languages() -> list[tuple[str, str]]:
    """English, and every language that has a catalogue: no page mixes two."""
    codes = ["en", "en-gb"]
    codes += sorted(
        to_language(found.parts[-3]) for found in PACKAGE.glob("locale/*/LC_MESSAGES/django.mo")
    )
    return [(code, LANG_INFO[code]["name_local"]) for code in codes]


LANGUAGES = _languages()
LANGUAGE_CODE = os.environ.get("RAPPORT_LANGUAGE", "en")
TIME_ZONE = os.environ.get("RAPPORT_TIME_ZONE", "UTC")
USE_I18N = USE_TZ = True
LOCALE_PATHS = [PACKAGE / "locale"]
STATIC_URL = "/static/"
STATICFILES_DIRS = [PACKAGE / "web" / "static"]
STATIC_ROOT = HOME / "static"
STATIC_ROOT.mkdir(exist_ok=True)
# With RAPPORT_DEBUG files are served as they lie in the checkout, else as collectstatic left them.
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEBUG
STATIC_STORAGE = (
    "django.contrib.staticfiles.storage.StaticFilesStorage"
    if DEBUG
    else "rapport.config.storage.StaticStorage"
)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": STATIC_STORAGE},
}
MEDIA_ROOT = HOME / "uploads"
FILE_UPLOAD_TEMP_DIR = None
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_HANDLERS = [
    "rapport.web.uploads.Bounded",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

# -- Rapport ------------------------------------------------------------------------------------
CURRENCY = os.environ.get("RAPPORT_CURRENCY", "EUR")
FULL_NAME_ORDER = os.environ.get("RAPPORT_FULL_NAME_ORDER", "first last")
UPLOAD_LIMIT = int(os.environ.get("RAPPORT_UPLOAD_LIMIT_MB", "512")) * 1024 * 1024
# Programs put files below it, for recipes; "": no folder is watched.
IMPORT_FOLDER = os.environ.get("RAPPORT_IMPORT_FOLDER", "")
RETENTION_DAYS = int(os.environ.get("RAPPORT_RETENTION_DAYS", "365"))
# Workers are woken through a queue beside the database; "none": they only look by themselves.
QUEUE = os.environ.get("RAPPORT_QUEUE", "auto")
JOB_LEASE_SECONDS = float(os.environ.get("RAPPORT_JOB_LEASE_SECONDS", "60"))
JOB_RETRY_SECONDS = 5.0

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": os.environ.get("RAPPORT_LOG_LEVEL", "WARNING")},
    # Django's own handlers would say all twice; a form with mistakes (422) is no news.
    "loggers": {"django": {"handlers": []}, "django.request": {"level": "ERROR"}},
}
