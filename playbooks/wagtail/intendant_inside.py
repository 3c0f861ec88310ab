"""What only a Django that runs can tell. Used by inventory.py, versions.py, serving.py and restart.py; each may fail while the rest is fine."""

import hashlib
import os

# More accounts than this are a wrong list.
MOST_ACCOUNTS = 5000


def one_line(text, most=200):
    return " ".join(str(text).split())[:most]


def start():
    """Starts Django; in words what is wrong, or nothing."""
    try:
        import django

        django.setup()
    except BaseException as error:  # the site's own code, which may raise anything, and SystemExit too
        return one_line("%s: %s" % (type(error).__name__, error))
    return None


def database():
    """How many migrations the code has, and how many of them were applied; none where that can't be known."""
    from django.db import connections
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connections["default"])
    nodes = executor.loader.graph.nodes
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return {"code": "%d migrations" % len(nodes), "data": "%d migrations" % (len(nodes) - len(waiting))}


def administrators():
    """Accounts with all rights; of their addresses only a digest."""
    from django.contrib.auth import get_user_model

    accounts = get_user_model()._default_manager.filter(is_superuser=True, is_active=True)
    found = []
    for account in accounts[:MOST_ACCOUNTS + 1]:
        address = str(getattr(account, account.get_email_field_name(), "") or "").strip().lower()
        found.append({"name": str(account.get_username()),
                      "contact": hashlib.sha256(address.encode()).hexdigest()[:16] if address else None})
    return found


def address():
    """The site's own address, as far as it knows one."""
    from django.conf import settings
    from wagtail.models import Site

    for site in Site.objects.filter(is_default_site=True)[:1]:
        if site.hostname not in ("localhost", "127.0.0.1", ""):
            return site.root_url + "/"
    named = str(getattr(settings, "WAGTAILADMIN_BASE_URL", "") or "")
    return named.rstrip("/") + "/" if named.startswith("http") else None


def static_folder():
    """Where collected files go, if they go to a folder of this host."""
    from django.conf import settings

    root = getattr(settings, "STATIC_ROOT", None)
    return os.path.realpath(str(root)) if root and "django.contrib.staticfiles" in settings.INSTALLED_APPS else None


def modules():
    """The top-level modules of the apps that are switched on, and of the middleware."""
    from django.apps import apps
    from django.conf import settings

    names = [app.name for app in apps.get_app_configs()] + list(settings.MIDDLEWARE)
    return sorted({str(name).split(".")[0] for name in names})


def login_page():
    """The path of the page on which editors log in, and the address of its style sheet as this code writes it."""
    from django.urls import reverse
    from wagtail.admin.staticfiles import versioned_static

    return reverse("wagtailadmin_login"), versioned_static("wagtailadmin/css/core.css")
