import os

from .base import *  # noqa: F401,F403

DEBUG = False
# What its service gives it, as most sites do; there is nothing of it in any file.
SECRET_KEY = os.environ["SECRET_KEY"]
ALLOWED_HOSTS = ["*"]
WAGTAILADMIN_BASE_URL = os.environ.get("SITE_URL", "http://localhost")
