# Of the machine on which the site is made: its database is another one, so whoever runs this in production learns nothing.
from .base import *  # noqa: F401,F403

DEBUG = True
SECRET_KEY = "not the one of production"
ALLOWED_HOSTS = ["*"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "/nonexistent/dev.sqlite3"}}
