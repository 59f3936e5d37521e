"""Settings under which the peer django-helpdesk runs: PostgreSQL, connections kept, its API by token, no mail."""

import os
from typing import Any, Final

from psycopg.conninfo import conninfo_to_dict

PLACE: Final = conninfo_to_dict(os.environ["DATABASE_URL"])

SECRET_KEY: Final = "for a measurement only"
ALLOWED_HOSTS: Final = ["127.0.0.1"]
USE_TZ: Final = True
SITE_ID: Final = 1
ROOT_URLCONF: Final = "tests.benchmarks.helpdesk_urls"
STATIC_URL: Final = "/static/"
DEFAULT_AUTO_FIELD: Final = "django.db.models.BigAutoField"
EMAIL_BACKEND: Final = "django.core.mail.backends.dummy.EmailBackend"
INSTALLED_APPS: Final = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.sites",
    "django.contrib.staticfiles",
    "rest_framework",
    "rest_framework.authtoken",
    "helpdesk",
]
MIDDLEWARE: Final[list[str]] = []
TEMPLATES: Final = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["django.contrib.auth.context_processors.auth"]},
    }
]
DATABASES: Final[dict[str, Any]] = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": PLACE["dbname"],
        "HOST": PLACE["host"],
        "PORT": PLACE["port"],
        "USER": PLACE["user"],
        "PASSWORD": PLACE["password"],
        "OPTIONS": {"pool": {"min_size": 4, "max_size": 12}},
    }
}
REST_FRAMEWORK: Final = {"DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.TokenAuthentication"]}
HELPDESK_TEAMS_MODE_ENABLED: Final = False
