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


# In no value of a database's access, so what was made of something unknown is known by it.
MARK = "\0"
# What the settings wanted to know of something unknown.
GUESSED = []


class Guess(BaseException):
    """The settings go one way or the other by something unknown. No handler of theirs is meant to take it."""


class Unknown:
    """What a module that can't be imported would have given. It can be passed on, and nothing can be learned from it."""

    def __init__(self, *values, **named):
        pass

    def __call__(self, *values, **named):
        return Unknown()

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Unknown()

    def __str__(self):
        return MARK

    def __format__(self, how):
        return MARK

    __repr__ = __fspath__ = __str__
    __getitem__ = __or__ = __ror__ = __add__ = __radd__ = __mod__ = __rmod__ = __truediv__ = __rtruediv__ = __call__
    __hash__ = object.__hash__

    def guess(self, *values):
        GUESSED.append(True)
        raise Guess("they decide by what a module says that can't be imported")

    __bool__ = __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __contains__ = __len__ = __iter__ = guess
    __int__ = __float__ = __index__ = guess


class Standing(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Stands in for modules that can't be imported: settings name many things, and few of them matter for the database."""

    class Module(type(sys)):
        __path__ = []

        def __getattr__(self, name):
            if name.startswith("__"):
                raise AttributeError(name)
            return Unknown()

    def __init__(self, wanted):
        self.wanted, self.missing = wanted, []

    def find_spec(self, name, path=None, target=None):
        top = name.split(".")[0]
        if top in self.wanted:
            return None
        if name == top:
            self.missing.append(name)
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        return self.Module(spec.name)

    def exec_module(self, module):
        pass


def read(name):
    """The databases of a settings module, and which modules were missing; the second time with stand-ins for those."""
    try:
        return importlib.import_module(name).DATABASES, []
    except BaseException as error:  # the site's own code, which may raise anything
        first = error
    own = name.split(".")[0]
    for module in [module for module in sys.modules if module.split(".")[0] in (own, "django")]:
        del sys.modules[module]
    standing = Standing({own})
    sys.meta_path.append(standing)
    # A Django that is half there is not asked at all.
    sys.meta_path.insert(0, type("Broken", (Standing,), {
        "find_spec": lambda self, name, path=None, target=None:
        importlib.machinery.ModuleSpec(name, self, is_package=True) if name.split(".")[0] == "django" else None})(set()))
    try:
        databases = importlib.import_module(name).DATABASES
        if GUESSED:
            raise Guess("they decide by what a module says that can't be imported")
    except BaseException as error:  # as above
        raise project.Trouble("the settings %s can't be read: %s: %s (and, before: %s: %s)" % (
            name, type(error).__name__, first_line(error), type(first).__name__, first_line(first))) from None
    return databases, standing.missing or ["django"]


def known(one, missing):
    """A database's settings, if what can't be imported has no part in them."""
    parts = [one.get(key) for key in ("ENGINE", "NAME", "USER", "PASSWORD", "HOST", "PORT", "OPTIONS")] if isinstance(one, dict) else [None]
    if isinstance(parts[-1], dict):
        parts += [parts[-1].get(key) for key in ("user", "password", "passwd", "unix_socket", "ssl", "ssl_mode", "sslmode")]
    if any(isinstance(part, Unknown) or not isinstance(part, dict) and MARK in str(part) for part in parts) or not parts[0]:
        raise project.Trouble("the settings take the database's access from what can't be imported (%s): put the virtual environment "
                              "in order (pip install -r requirements.txt), then try again" % ", ".join(sorted(set(missing))[:5]))
    return one


def first_line(error):
    return " ".join(str(error).split())[:200]


def plain(value, what):
    text = str(value)
    if any(mark in text for mark in "\r\n\0"):
        raise project.Trouble("the database's %s holds a line break" % what)
    return text


def quoted(value, what):
    """A value of an option file of MariaDB or MySQL. A quote in it would end it for whoever looks for the `#` of a remark."""
    return '"%s"' % plain(value, what).replace("\\", "\\\\").replace('"', '\\"')


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
        databases, missing = read(found["settings"])
    one = databases.get("default") if isinstance(databases, dict) else None
    if missing:
        one = known(one, missing)
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
