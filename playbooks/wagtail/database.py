"""Reads the database's access from the site's own settings, without starting Django; also while Django is broken.

    database.py … describe      engine, name: no secret
    database.py … credentials   what a client is given, below a line [client]; for a client on this host only
"""

import contextlib
import importlib
import importlib.abc
import importlib.machinery
import os
import sys

import intendant_project as project

ENGINES = {"sqlite3": "sqlite", "spatialite": "sqlite", "postgresql": "postgresql", "postgresql_psycopg2": "postgresql",
           "postgis": "postgresql", "mysql": "mysql"}


class Standing(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Stands in for modules that can't be imported: settings name many things, and few of them matter for the database."""

    class Module(type(sys)):
        __path__ = []

        def __getattr__(self, name):
            if name.startswith("__"):
                raise AttributeError(name)
            return lambda *values, **named: values[0] if values else None

    def __init__(self, wanted):
        self.wanted = wanted

    def find_spec(self, name, path=None, target=None):
        top = name.split(".")[0]
        return importlib.machinery.ModuleSpec(name, self, is_package=True) if top not in self.wanted else None

    def create_module(self, spec):
        return self.Module(spec.name)

    def exec_module(self, module):
        pass


def read(name):
    """The databases of a settings module; once more with stand-ins, where something that it imports is broken."""
    try:
        return importlib.import_module(name).DATABASES
    except BaseException as error:  # the site's own code, which may raise anything
        first = error
    own = name.split(".")[0]
    for module in [module for module in sys.modules if module.split(".")[0] in (own, "django")]:
        del sys.modules[module]
    sys.meta_path.append(Standing({own}))
    # A Django that is half there is not asked at all.
    sys.meta_path.insert(0, type("Broken", (Standing,), {
        "find_spec": lambda self, name, path=None, target=None:
        importlib.machinery.ModuleSpec(name, self, is_package=True) if name.split(".")[0] == "django" else None})(set()))
    try:
        return importlib.import_module(name).DATABASES
    except BaseException as error:  # as above
        raise project.Trouble("the settings %s can't be read: %s: %s (and, before: %s: %s)" % (
            name, type(error).__name__, first_line(error), type(first).__name__, first_line(first))) from None


def first_line(error):
    return " ".join(str(error).split())[:200]


def plain(value, what):
    text = str(value)
    if any(mark in text for mark in "\r\n\0"):
        raise project.Trouble("the database's %s holds a line break" % what)
    return text


def quoted(value, what):
    """A value of an option file of MariaDB or MySQL; of quotes only those around it mean something there."""
    return '"%s"' % plain(value, what).replace("\\", "\\\\")


def credentials(engine, one):
    host, port = str(one.get("HOST") or ""), str(one.get("PORT") or "")
    options = one.get("OPTIONS") if isinstance(one.get("OPTIONS"), dict) else {}
    user = one.get("USER") or options.get("user") or ""
    password = one.get("PASSWORD") or options.get("password") or options.get("passwd") or ""
    lines = ["[client]"]
    if engine == "mysql":
        socket = host if host.startswith("/") else options.get("unix_socket")
        lines += ["user=" + quoted(user, "user"), "password=" + quoted(password, "password")]
        if socket:
            lines.append("socket=" + quoted(socket, "socket"))
        elif host:
            lines.append("host=" + quoted(host, "host"))
        if port and not socket:
            lines.append("port=" + quoted(port, "port"))
        if not socket and host not in ("", "localhost") and not (options.get("ssl") or options.get("ssl_mode")):
            # As the site itself connects; newer clients would insist on TLS.
            lines.append("loose-skip-ssl")
    else:
        for name, value in (("host", host), ("port", port), ("user", user), ("password", password),
                            ("sslmode", options.get("sslmode") or "")):
            if value:
                lines.append("%s=%s" % (name, plain(value, name)))
    return "\n".join(lines) + "\n"


def main():
    found, (want,) = project.project()
    with contextlib.redirect_stdout(sys.stderr):
        databases = read(found["settings"])
    one = databases.get("default") if isinstance(databases, dict) else None
    if not isinstance(one, dict) or not one.get("ENGINE"):
        project.say("database", {"engine": "none"})
        return
    engine = ENGINES.get(str(one["ENGINE"]).rpartition(".")[2])
    if engine is None:
        raise project.Trouble("the database's engine is %s, which can't be captured" % str(one["ENGINE"])[:80])
    if want == "credentials":
        sys.stdout.write(credentials(engine, one))
        return
    name = str(one.get("NAME") or "")
    if engine == "sqlite":
        # A path that is not absolute begins where the site's processes do.
        name = os.path.join(found["folder"], name)
    project.say("database", {"engine": engine, "name": name, "prefix": ""})


if __name__ == "__main__":
    try:
        main()
    except project.Trouble as error:
        sys.stderr.write("%s\n" % error)
        sys.exit(4)
