"""The one place where the environment is read; `.env.example` explains each name."""

import logging
import os
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

from csp import constants as csp
from dotenv import load_dotenv

from config import env, limit_defaults, spectacular

BASE_DIR = Path(__file__).resolve().parent.parent
# ENV_FILE lets a test run, or a second deployment, keep clear of a local .env.
load_dotenv(BASE_DIR / os.environ.get("ENV_FILE", ".env"))

# --- Core ---------------------------------------------------------------------------

DEBUG = env.flag("DEBUG", default=False)
# The stand-in is public, so worthless: config.checks lets only DEBUG start on it.
DEVELOPMENT_SECRET_KEY = "django-insecure-for-development-on-your-own-machine-only"
SECRET_KEY = env.secret("SECRET_KEY", DEVELOPMENT_SECRET_KEY)
# What was signed with these is still believed, so that the key may change.
SECRET_KEY_FALLBACKS = env.words("SECRET_KEY_FALLBACKS")
# Keys of hashes that must outlive SECRET_KEY. Empty: SECRET_KEY is used. The first hash
# names an invitee for systems that pay for invitations, the second names a phone number
# in limits and for known devices.
INVITEE_KEY_SECRET = env.secret("INVITEE_KEY_SECRET")
PSEUDONYM_SECRET = env.secret("PSEUDONYM_SECRET")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS")
# Empty: links have the host and scheme of the request.
PUBLIC_URL = env.base_url("PUBLIC_URL")
# What the pages call the service. Empty: "Referral", in the language of the reader.
BRAND_NAME = env.text("BRAND_NAME")
# A proxy that changes the host makes PUBLIC_URL a foreign origin for Django's forms.
CSRF_TRUSTED_ORIGINS = [
    *env.words("CSRF_TRUSTED_ORIGINS"),
    *([PUBLIC_URL] if PUBLIC_URL else []),
]

# Web pages of other origins whose scripts may use the API. Any origin (*) cannot be
# chosen: any web page could then let its visitors request codes, each from an address
# of their own.
CORS_ALLOWED_ORIGINS = env.origins("CORS_ALLOWED_ORIGINS")
CORS_URLS_REGEX = "^/api/"
CORS_ALLOW_CREDENTIALS = False  # no cookies: clients send tokens
CORS_ALLOW_METHODS = ["DELETE", "GET", "PATCH", "POST"]
CORS_ALLOW_HEADERS = [
    *("accept", "accept-language", "authorization", "content-type", "if-none-match"),
]
CORS_EXPOSE_HEADERS = ["ETag", "Retry-After", "X-Request-ID"]
CORS_PREFLIGHT_MAX_AGE = 7200  # Chromium keeps no answer longer

# Apps that open invite links.
ANDROID_APP_LINKS = env.android_apps("ANDROID_APP_LINKS")
APPLE_APP_LINKS = env.apple_apps("APPLE_APP_LINKS")

PORT = env.whole("PORT", 8000, low=1, high=65535)
WEB_WORKERS = env.whole("WEB_WORKERS", 2, low=1, high=64)
WEB_THREADS = env.whole("WEB_THREADS", 768, low=1, high=2000)
WEB_PIN_WORKERS = env.flag("WEB_PIN_WORKERS", default=True)

INSTALLED_APPS = [
    "users.apps.StaffSiteConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "drf_standardized_errors",
    "csp",
    "corsheaders",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "config",
    "users.apps.UsersConfig",
    "referrals",
    "webhooks",
]

MIDDLEWARE = [
    "config.monitoring.audit.RequestIdMiddleware",
    "config.monitoring.access_log.AccessMiddleware",
    "config.server.no_store.NoStoreMiddleware",
    "config.server.head.HeadMiddleware",
    # Outside of everything that refuses, so that pages can read the refusals.
    *(["corsheaders.middleware.CorsMiddleware"] if CORS_ALLOWED_ORIGINS else []),
    "config.api.overload.RequestQueueMiddleware",
    "config.api.https_required.HttpsRequiredMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "config.server.page_middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "users.devices.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "config.api.slashes.CommonMiddleware",
    "config.api.request_bodies.RequestBodyMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "config.server.page_middleware.AuthenticationMiddleware",
    "users.devices.middleware.DeviceMiddleware",
    "config.server.page_middleware.OTPMiddleware",
    "config.server.page_middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "config.api.error_pages.PageErrorMiddleware",
]

ROOT_URLCONF = "config.urls"
# Asked every few seconds by load balancers and by Prometheus.
PROBE_PATHS = ("healthz", "readyz", "metrics")
# Their requests have a queue of their own, so that they do not wait behind all others.
STAFF_PATHS = ("admin/", "api/users/", "api/referrals/", "api/stats/")
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- Database -----------------------------------------------------------------------

DATABASE_POOL_SIZE = env.whole("DATABASE_POOL_SIZE", 4, low=1, high=100)
# A server of PostgreSQL that vanishes without a word is noticed after about three
# seconds, while connecting, while sending, and while waiting for an answer.
_TIME_OUTS = {
    "connect_timeout": 2,
    "tcp_user_timeout": 2500,  # milliseconds
    "keepalives_idle": 1,
    "keepalives_interval": 1,
    "keepalives_count": 3,
}
_database = env.database("DATABASE_URL", f"sqlite:///{BASE_DIR / 'db.sqlite3'}")
DATABASE_IS_EMBEDDED = _database["ENGINE"] == "django.db.backends.sqlite3"
if DATABASE_IS_EMBEDDED:
    # A write takes its lock at the start, so two writers queue for up to `timeout`
    # seconds; in SQLite's default mode the second would fail half-way at once.
    _database["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
    # A file: threads cannot share an in-memory database as separate connections.
    _database["TEST"] = {"NAME": BASE_DIR / "test.sqlite3"}
else:
    # A thread takes a connection for its queries only, from a few that its process
    # keeps: hundreds of threads that wait for an SMS hold none.
    _database["ENGINE"] = "config.server.pooled_postgresql"
    # Behind PgBouncer the next query may reach another connection of PostgreSQL, which
    # does not know the cursor. Django uses them for the choices of the admin's forms.
    _database["DISABLE_SERVER_SIDE_CURSORS"] = True
    _database["POOL_OPTIONS"] = {
        "POOL_SIZE": DATABASE_POOL_SIZE,
        "MAX_OVERFLOW": 0,
        "TIMEOUT": 1.5,  # seconds to wait for one of them; then 503
    }
    _database["OPTIONS"] = {**_TIME_OUTS, **_database.get("OPTIONS", {})}
DATABASES = {"default": _database}
# A standby, for long reads that may be some seconds old (config/server/replica.py).
# They are few, so each connects anew.
if env.secret("REPLICA_DATABASE_URL"):
    _replica = env.database("REPLICA_DATABASE_URL", "")
    DATABASES["replica"] = {
        **_replica,
        "ENGINE": "django.db.backends.postgresql",
        "DISABLE_SERVER_SIDE_CURSORS": True,
        "OPTIONS": {**_TIME_OUTS, **_replica.get("OPTIONS", {})},
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Code store and counters --------------------------------------------------------

REDIS_URL = env.secret("REDIS_URL")
# redis+cluster://host:port,host:port or rediss+cluster://…
REDIS_IS_CLUSTER = REDIS_URL.partition("://")[0].endswith("+cluster")
REDIS_SENTINELS = env.addresses("REDIS_SENTINELS")
_cache: dict[str, Any]
if REDIS_URL:
    _cache = {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "referral",
        "KEY_FUNCTION": "config.server.redis_keys.without_tag",
        "OPTIONS": {
            # Pickle would run whatever somebody managed to write into Redis.
            "SERIALIZER": "django_redis.serializers.json.JSONSerializer",
            # The default pool raises at its limit; this one waits for a connection.
            "CONNECTION_POOL_CLASS": "redis.connection.BlockingConnectionPool",
            "CONNECTION_POOL_KWARGS": {"max_connections": 50, "timeout": 3},
            # A request asks Redis a few times; all must fail within five seconds.
            "SOCKET_CONNECT_TIMEOUT": 1,
            "SOCKET_TIMEOUT": 1,
        },
    }
    if REDIS_IS_CLUSTER:
        _cache["LOCATION"] = [REDIS_URL]  # a text would be split at its commas
        del _cache["KEY_FUNCTION"]
        _cache["OPTIONS"] |= {
            "CLIENT_CLASS": "config.server.redis_cluster.ClusterClient",
            "CONNECTION_FACTORY": "config.server.redis_cluster.ConnectionFactory",
        }
    elif REDIS_SENTINELS:
        # They say where the Redis is whose name REDIS_URL has for a host.
        _cache["OPTIONS"] |= {
            "CONNECTION_FACTORY": "django_redis.pool.SentinelConnectionFactory",
            "CONNECTION_POOL_CLASS": "config.server.redis_pool.BlockingSentinelPool",
            "SENTINELS": REDIS_SENTINELS,
            "SENTINEL_KWARGS": {"socket_connect_timeout": 0.5, "socket_timeout": 0.5},
        }
else:
    _cache = {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        # Django's default of 300 would drop live codes and counters.
        "OPTIONS": {"MAX_ENTRIES": 1_000_000},
    }
CACHES = {"default": _cache}

# --- Signing in ---------------------------------------------------------------------

AUTH_USER_MODEL = "users.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "users.authentication.CodeBackend",
]
LOGIN_URL = "login"
# Only staff have passwords.
_validation = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS: list[dict[str, Any]] = [
    {"NAME": f"{_validation}.UserAttributeSimilarityValidator"},
    {"NAME": f"{_validation}.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": f"{_validation}.CommonPasswordValidator"},
    {"NAME": "users.passwords.GuessablePasswordValidator"},
]
ADMIN_SECOND_FACTOR = env.flag("ADMIN_SECOND_FACTOR", default=not DEBUG)
OTP_TOTP_ISSUER = BRAND_NAME or "Referral"  # what an authenticator app calls the entry
# LIMITS counts wrong codes. django-otp's own waits would come on top.
OTP_TOTP_THROTTLE_FACTOR = OTP_STATIC_THROTTLE_FACTOR = 0

INVITE_CODE_LENGTH = env.whole("INVITE_CODE_LENGTH", 6, low=6, high=10)
PHONE_DEFAULT_REGION = env.text("PHONE_DEFAULT_REGION", "RU").upper()
LOGIN_CODE_MIN_LENGTH, LOGIN_CODE_MAX_LENGTH = 4, 8
LOGIN_CODE_LENGTH = env.whole(
    "LOGIN_CODE_LENGTH", 4, low=LOGIN_CODE_MIN_LENGTH, high=LOGIN_CODE_MAX_LENGTH
)
LOGIN_CODE_TTL_SECONDS = env.whole("LOGIN_CODE_TTL_SECONDS", 300, low=30, high=3600)
LOGIN_CODE_MAX_ATTEMPTS = env.whole("LOGIN_CODE_MAX_ATTEMPTS", 5, low=1, high=20)
# Waits between sends to one number: the first, the second, and all that follow.
LOGIN_CODE_RESEND_SECONDS = env.waits("LOGIN_CODE_RESEND_SECONDS", "60,120,300")
# After so many wrong guesses at a number in a month: so many digits in its next codes.
LOGIN_CODE_GROWTH = env.steps("LOGIN_CODE_GROWTH", "6:6,30:8")
# The same for the wrong guesses of an address or network, and of everybody, in a day.
LOGIN_CODE_GROWTH_PER_CLIENT = env.steps("LOGIN_CODE_GROWTH_PER_CLIENT", "5:6,50:8")
LOGIN_CODE_GROWTH_OVERALL = env.steps("LOGIN_CODE_GROWTH_OVERALL", "10:6,500:8")
TOKEN_IDLE_DAYS = env.whole("TOKEN_IDLE_DAYS", 90, low=1, high=3650)
SESSION_MAX_DAYS = env.whole("SESSION_MAX_DAYS", 365, low=1, high=3650)
ADMIN_SESSION_HOURS = env.whole("ADMIN_SESSION_HOURS", 12, low=1, high=168)
JWT_ACCESS_MINUTES = env.whole("JWT_ACCESS_MINUTES", 10, low=1, high=60)
# Keys for access tokens that others can check; users/devices/jwt_keys.py reads them.
JWT_PRIVATE_KEY = env.secret("JWT_PRIVATE_KEY")
JWT_PUBLIC_KEYS = env.secret("JWT_PUBLIC_KEYS")
# The first is written into tokens; all are accepted.
JWT_ISSUER = env.words("JWT_ISSUER", "referral")
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=JWT_ACCESS_MINUTES),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=TOKEN_IDLE_DAYS),
}
SESSION_ENGINE = "users.devices.sessions"
SESSION_COOKIE_AGE = TOKEN_IDLE_DAYS * 24 * 3600
# `users.sms` is the name that `users.channels` had before: such settings still start.
SMS_BACKEND = re.sub(
    r"^users\.sms\.",
    "users.channels.",
    env.text("SMS_BACKEND", "users.channels.console.ConsoleBackend"),
)
SMS_COUNTRIES = env.words("SMS_COUNTRIES")
# Kinds of numbers, as phonenumbers names them; the others cost a premium, or an SMS
# does not reach them. Some countries do not tell mobile numbers from landlines.
SMS_NUMBER_TYPES = env.words(
    "SMS_NUMBER_TYPES", "mobile,fixed_line_or_mobile,voip,personal_number,unknown"
)
SMS_SIMULATED_DELAY = env.span("SMS_SIMULATED_DELAY", "1,2")
# Of all that one message takes: a person waits, and gunicorn ends a request at 30.
SMS_TIMEOUT_SECONDS = env.whole("SMS_TIMEOUT_SECONDS", 8, low=2, high=20)
SMS_WEBOTP_DOMAIN = env.text("SMS_WEBOTP_DOMAIN")
SMS_CHAIN = [
    re.sub(r"^users\.sms\.", "users.channels.", path) for path in env.words("SMS_CHAIN")
]
SMS_AERO_URL = env.text("SMS_AERO_URL", "https://gate.smsaero.ru/v2")
SMS_AERO_EMAIL = env.text("SMS_AERO_EMAIL")
SMS_AERO_API_KEY = env.text("SMS_AERO_API_KEY")
SMS_AERO_SIGN = env.text("SMS_AERO_SIGN", "SMS Aero")
SMS_WEBHOOK_URL = env.text("SMS_WEBHOOK_URL")
SMS_WEBHOOK_SECRET = env.text("SMS_WEBHOOK_SECRET")
VOICE_WEBHOOK_URL = env.text("VOICE_WEBHOOK_URL")
VOICE_WEBHOOK_SECRET = env.text("VOICE_WEBHOOK_SECRET")
# Countries that calls go to. Elsewhere they cost more, or show other digits.
CALL_COUNTRIES = env.words("CALL_COUNTRIES", "RU")
UCALLER_URL = env.text("UCALLER_URL", "https://api.ucaller.ru/v1.0")
UCALLER_SERVICE_ID = env.text("UCALLER_SERVICE_ID")
UCALLER_SECRET_KEY = env.text("UCALLER_SECRET_KEY")
TELEGRAM_GATEWAY_URL = env.text(
    "TELEGRAM_GATEWAY_URL", "https://gatewayapi.telegram.org"
)
TELEGRAM_GATEWAY_TOKEN = env.text("TELEGRAM_GATEWAY_TOKEN")
TELEGRAM_GATEWAY_CALLBACK_URL = env.text("TELEGRAM_GATEWAY_CALLBACK_URL")
TEST_NUMBERS = env.words("TEST_NUMBERS")
SHOW_LOGIN_CODES = env.flag("SHOW_LOGIN_CODES", default=DEBUG)

# Past a soft limit, strangers solve a task before they get a code.
# The share of a limit from which on strangers are challenged. 0: always.
CHALLENGE_FROM_PERCENT = env.whole("CHALLENGE_FROM_PERCENT", 50, low=0, high=100)
CHALLENGE_BACKEND = env.optional(
    "CHALLENGE_BACKEND", "users.challenges.proof_of_work.ProofOfWork"
)

# --- Limits -------------------------------------------------------------------------

LIMITS = {
    name.removeprefix("LIMIT_").lower(): env.limit(name, default)
    for name, default in limit_defaults.DEFAULTS.items()
}

# --- People's rights ------------------------------------------------------------------

# The version of the terms that people accept. Empty: nobody is asked.
TERMS_VERSION = env.text("TERMS_VERSION")
TERMS_URL = env.text("TERMS_URL")
PRIVACY_URL = env.text("PRIVACY_URL")
# Whether people can download what is kept about them.
DATA_EXPORT = env.flag("DATA_EXPORT", default=False)

# --- E-mail ---------------------------------------------------------------------------

# Whether people confirm their e-mail, and get notices there.
EMAIL_NOTICES = env.flag("EMAIL_NOTICES", default=False)
EMAIL_HOST = env.text("EMAIL_HOST")
EMAIL_PORT = env.whole("EMAIL_PORT", 587, low=1, high=65535)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = env.secret("EMAIL_HOST_PASSWORD")
# TLS from the first byte, as at port 465; otherwise STARTTLS.
EMAIL_USE_SSL = env.flag("EMAIL_USE_SSL", default=False)
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS", default=not EMAIL_USE_SSL)
EMAIL_TIMEOUT = 10  # seconds, for each step of talking to the mail server
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL") or "webmaster@localhost"
EMAIL_BACKEND = "django.core.mail.backends." + (
    "console.EmailBackend" if DEBUG and not EMAIL_HOST else "smtp.EmailBackend"
)

# --- Webhooks -------------------------------------------------------------------------

WEBHOOK_URL = env.text("WEBHOOK_URL")
WEBHOOK_SECRETS = env.text("WEBHOOK_SECRET").split()
WEBHOOK_GIVE_UP_DAYS = env.whole("WEBHOOK_GIVE_UP_DAYS", 3, low=0, high=365)
WEBHOOK_KEEP_DAYS = env.whole("WEBHOOK_KEEP_DAYS", 7, low=0, high=3650)

# --- Languages and time -------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("ru", "Русский")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# --- Static files -------------------------------------------------------------------

STATIC_URL = "static/"
# In DEBUG files are served from where they are written; nothing needs collecting.
STATIC_ROOT = (
    None if DEBUG else BASE_DIR / env.text("STATIC_ROOT", default="staticfiles")
)
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if DEBUG
            else "whitenoise.storage.CompressedManifestStaticFilesStorage"
        )
    },
}

# --- HTTP ---------------------------------------------------------------------------

# Off only where TLS does not exist at all, such as a test on loopback.
HTTPS_ONLY = env.flag("HTTPS_ONLY", default=not DEBUG)
SECURE_SSL_REDIRECT = HTTPS_ONLY
SECURE_SSL_HOST = PUBLIC_URL.partition("://")[2] or None
# Probes and Prometheus come over plain HTTP.
SECURE_REDIRECT_EXEMPT = [f"^{path}$" for path in PROBE_PATHS]
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS_ONLY else 0
# What else lives under the domain is not this service's to decide.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
# Browsers accept a cookie with this prefix only over HTTPS and only from this host, so
# another host of the domain cannot plant one.
COOKIE_PREFIX = "__Host-" if HTTPS_ONLY else ""
SESSION_COOKIE_NAME = f"{COOKIE_PREFIX}sessionid"
SESSION_COOKIE_SECURE = HTTPS_ONLY
CSRF_COOKIE_NAME = f"{COOKIE_PREFIX}csrftoken"
CSRF_COOKIE_SECURE = HTTPS_ONLY
LANGUAGE_COOKIE_NAME = f"{COOKIE_PREFIX}django_language"
LANGUAGE_COOKIE_SECURE = HTTPS_ONLY
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
MESSAGE_STORAGE = "config.server.message_cookie.MessageStorage"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "config.api.error_pages.csrf_failure"
# Nothing inline, nothing from elsewhere. The API documentation gets its own exceptions
# in config.urls.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [csp.SELF],
        "img-src": [csp.SELF, "data:"],
        "object-src": [csp.NONE],
        "base-uri": [csp.NONE],
        "form-action": [csp.SELF],
        "frame-ancestors": [csp.NONE],
    }
}
# Without a proxy of ours clients can forge X-Forwarded-For and X-Forwarded-Proto.
TRUSTED_PROXY_COUNT = env.whole("TRUSTED_PROXY_COUNT", 0, low=0, high=10)
if TRUSTED_PROXY_COUNT:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# Larger than any request of our clients. Above it: 413.
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024

# --- API ----------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "users.devices.jwt_tokens.JWTAuthentication",  # its 401 names both
        "users.devices.token_authentication.TokenAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["config.api.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "config.api.schema.AutoSchema",
    "EXCEPTION_HANDLER": "drf_standardized_errors.handler.exception_handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    # DRF would take `?format=` for a renderer's name and answer 404 to the rest.
    "URL_FORMAT_OVERRIDE": None,
}

DRF_STANDARDIZED_ERRORS = {
    "EXCEPTION_HANDLER_CLASS": "config.api.error_handling.ErrorHandler",
    "EXCEPTION_FORMATTER_CLASS": "config.api.error_handling.ErrorFormatter",
    # One shape in development too; the traceback goes to the log.
    "ENABLE_IN_DEBUG_FOR_UNHANDLED_EXCEPTIONS": True,
    "ALLOWED_ERROR_STATUS_CODES": [
        "400", "401", "403", "404", "406", "409", "413", "415", "429", "500", "503",
    ],
}  # fmt: skip

SPECTACULAR_SETTINGS = {
    **spectacular.SETTINGS,
    # "/" is the host that the schema comes from.
    "SERVERS": [{"url": PUBLIC_URL or "/"}],
}

# --- Watching -----------------------------------------------------------------------

ACCESS_LOG = env.flag("ACCESS_LOG", default=True)
METRICS_TOKEN = env.text("METRICS_TOKEN")
SENTRY_DSN = env.text("SENTRY_DSN")

logging.captureWarnings(not DEBUG)  # or they would be lines of another kind
_formatter = "LineFormatter" if DEBUG else "JsonFormatter"
# Used by gunicorn too, so every process logs in the same format.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"ours": {"()": f"config.monitoring.logs.{_formatter}"}},
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "ours",
        }
    },
    "root": {"handlers": ["stderr"], "level": "INFO"},
    # Their own handlers would say everything twice.
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        "gunicorn.error": {"handlers": [], "propagate": True},
        # runserver's lines quote requests. The access log has a line for each.
        "django.server": {"handlers": [], "level": "CRITICAL"},
        "httpx2": {"level": "WARNING"},  # below that it logs whole URLs
    },
}
