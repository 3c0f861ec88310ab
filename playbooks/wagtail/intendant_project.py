"""Finds a Django project, its virtual environment and its settings, and runs one of the scripts beside this one in there:

    python3 intendant_project.py ROOT SCRIPT [ARGUMENT...]

It never imports the site's code itself, so it works while that is broken. `manage` is the site's own manage.py.
Nothing is written: no compiled file, no log.
"""

import json
import os
import re
import sys

# A folder with more entries than this is not searched.
MOST_ENTRIES = 5000
# How much of a file is read.
MOST_BYTES = 1 << 20
# What serves Python sites, and is told to start its workers again by SIGHUP.
SERVERS = ("gunicorn", "uwsgi")
# The marker line of each document.
MARKERS = {"inventory": "@intendant-inventory@", "versions": "@intendant-versions@",
           "packages": "@intendant-packages@", "database": "@intendant-database@"}


class Trouble(Exception):
    """What was tried, what came back, what to do."""


def text_of(path):
    try:
        with open(path, "rb") as file:
            return file.read(MOST_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""


def folders_in(folder):
    try:
        names = sorted(os.listdir(folder))[:MOST_ENTRIES]
    except OSError:
        return []
    return [path for path in (os.path.join(folder, name) for name in names) if os.path.isdir(path)]


def say(script, document):
    """Prints a document after its marker, on a line of its own."""
    sys.stdout.write("\n" + MARKERS[script] + json.dumps(document) + "\n")
    sys.stdout.flush()


def normal(name):
    """A package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name.strip()).lower()


def project_folder(root):
    """The folder of manage.py: the site's own, or the one below it that has one."""
    if os.path.isfile(os.path.join(root, "manage.py")):
        return root
    found = [path for path in folders_in(root) if os.path.isfile(os.path.join(path, "manage.py"))]
    if len(found) == 1:
        return found[0]
    what = "no manage.py" if not found else "%d folders with a manage.py" % len(found)
    raise Trouble("%s has %s; the plan's path has to be the folder of one project" % (root, what))


def site_packages(venv):
    """The folders of a virtual environment in which packages lie."""
    found = []
    for lib in ("lib", "lib64"):
        for folder in folders_in(os.path.join(venv, lib)):
            path = os.path.join(folder, "site-packages")
            if os.path.basename(folder).startswith("python") and os.path.isdir(path):
                found.append(os.path.realpath(path))
    return sorted(set(found))


def has(venv, pattern):
    """Whether a name among its packages is of this form."""
    names = []
    for folder in site_packages(venv):
        try:
            names += os.listdir(folder)[:MOST_ENTRIES]
        except OSError:
            continue
    return any(re.fullmatch(pattern, name) for name in names)


def has_wagtail(venv):
    """Wagtail, or what there is of it while pip replaces it: `~agtail`, and the records of both."""
    return has(venv, r"wagtail|~[-~.=%0-9]*a?g?tail(-.*)?|wagtail-.*\.dist-info")


def environments(folder, depth):
    """Virtual environments in a folder and in those below it."""
    found = []
    for path in folders_in(folder):
        if os.path.isfile(os.path.join(path, "pyvenv.cfg")):
            found.append(os.path.realpath(path))
        elif depth > 1 and not os.path.islink(path):
            found.extend(environments(path, depth - 1))
    return found


def lies_in(path, folder):
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def process(pid):
    """One process of this account: its parent, arguments, folder and environment; none of another's."""
    place = "/proc/%d" % pid
    try:
        if os.stat(place).st_uid != os.getuid():
            return None
        stat = text_of(place + "/stat")
        with open(place + "/cmdline", "rb") as file:
            arguments = file.read(65536).decode("utf-8", "replace").split("\0")
        with open(place + "/environ", "rb") as file:
            pairs = file.read(MOST_BYTES).decode("utf-8", "surrogateescape").split("\0")
        rest = stat.rpartition(")")[2].split()
        return {"pid": pid, "parent": int(rest[1]), "started": int(rest[19]), "arguments": arguments,
                "folder": os.readlink(place + "/cwd"),
                "environment": dict(pair.split("=", 1) for pair in pairs if "=" in pair)}
    except (OSError, ValueError, IndexError):
        return None


def is_server(found):
    first = os.path.basename(found["arguments"][0])
    words = [os.path.basename(word) for word in found["arguments"][:4]]
    return any(first.startswith(name) for name in SERVERS) or (
        first.startswith("python") and any(word.startswith(name) for name in SERVERS for word in words))


def servers(root):
    """The processes of this account that serve the site, those that no other of them started first."""
    try:
        pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return []
    found = [one for one in map(process, pids) if one and one["arguments"][0] and is_server(one)]
    ours = [one for one in found
            if lies_in(one["folder"], root) or lies_in(os.path.abspath(one["arguments"][0]), root)]
    known = {one["pid"] for one in ours}
    return sorted(ours, key=lambda one: (one["parent"] in known, one["pid"]))


def used_by(server):
    """The virtual environment that a process runs in."""
    named = server["environment"].get("VIRTUAL_ENV", "")
    for path in [os.path.dirname(os.path.dirname(word)) for word in server["arguments"][:2] if "/bin/" in word] + [named]:
        if path and os.path.isfile(os.path.join(path, "pyvenv.cfg")):
            return os.path.realpath(path)
    return None


def environment_of(root, folder, running):
    """The site's virtual environment; also one that is wrecked, as it is the one that has to be put back."""
    inside = []
    for venv in environments(root, 2) + (environments(folder, 1) if folder != root else []):
        if venv not in inside:
            inside.append(venv)
    found = [venv for venv in inside if has_wagtail(venv)]
    used = [venv for venv in map(used_by, running) if venv]
    if len(found) > 1:
        found = [venv for venv in found if venv in used] or found
    if len(found) > 1:
        raise Trouble("several virtual environments have Wagtail, and nothing that runs says which is in use: "
                      + ", ".join(found) + "; remove those that are not")
    if not found:
        found = [venv for venv in used if has_wagtail(venv)][:1]
    if not found:
        found = [venv for venv in environments(os.path.dirname(root), 1) if has_wagtail(venv)]
        found = found if len(found) == 1 else []
    # None has a trace of it: the one that serves, else the only one that could.
    for others in (used[:1], [venv for venv in inside if has(venv, "[Dd]jango|~.*jango")], inside):
        if not found and len(others) == 1:
            found = others
    return found[0] if found else None


def settings_of(folder, venv, running):
    """The settings module that the web server uses: of a running process, else what the WSGI module names."""
    pattern = re.compile(r"""DJANGO_SETTINGS_MODULE['"]\s*(?:,|\]\s*=)\s*['"]([A-Za-z0-9_.]+)['"]""")
    for one in running:
        if one["environment"].get("DJANGO_SETTINGS_MODULE"):
            return one["environment"]["DJANGO_SETTINGS_MODULE"]
    files = []
    for place in [folder] + [path for path in folders_in(folder) if path != venv]:
        files += [os.path.join(place, name) for name in ("wsgi.py", "asgi.py", "passenger_wsgi.py")]
    for file in files + [os.path.join(folder, "manage.py")]:
        named = pattern.search(text_of(file))
        if named:
            return named.group(1)
    if os.environ.get("DJANGO_SETTINGS_MODULE"):
        return os.environ["DJANGO_SETTINGS_MODULE"]
    raise Trouble("neither a wsgi.py nor the manage.py in %s names the settings (DJANGO_SETTINGS_MODULE)" % folder)


def find(root):
    """All of it, and the environment that the site's own processes have."""
    root = os.path.realpath(root)
    folder = project_folder(root)
    running = servers(root)
    venv = environment_of(root, folder, running)
    environment = dict(os.environ)
    if running:
        # What its service gives it (keys, addresses of databases) stands nowhere else.
        own = {name: value for name, value in running[0]["environment"].items()
               if not name.startswith(("GUNICORN", "UWSGI", "LISTEN_", "NOTIFY_", "INVOCATION_", "JOURNAL_"))}
        environment.update(own)
    environment["DJANGO_SETTINGS_MODULE"] = settings_of(folder, venv, running)
    environment.update(PYTHONDONTWRITEBYTECODE="1", PYTHONUNBUFFERED="1", PYTHONIOENCODING="utf-8", LC_ALL="C.UTF-8",
                       PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_NO_INPUT="1",
                       # Nothing of a run stays in the account's home, and no cut download is used again.
                       PIP_NO_CACHE_DIR="1")
    for name in ("PYTHONHOME", "PYTHONSTARTUP", "PIP_USER", "PIP_TARGET", "PIP_PREFIX"):
        environment.pop(name, None)
    return {"root": root, "folder": folder, "venv": venv, "outside": bool(venv) and not lies_in(venv, root),
            "settings": environment["DJANGO_SETTINGS_MODULE"]}, environment


def project():
    """What `find` found, in a script that was begun by this one; and the folder of scripts is left to nobody's imports."""
    found = json.loads(sys.argv[1])
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [found["folder"]] + [path for path in sys.path if os.path.abspath(path) != here]
    return found, sys.argv[2:]


def main():
    root, script, arguments = sys.argv[1], sys.argv[2], sys.argv[3:]
    found, environment = find(root)
    python = os.path.join(found["venv"] or "", "bin", "python")
    if not (found["venv"] and os.access(python, os.X_OK)):
        # What needs no package of the site also works where its environment is wrecked.
        if script not in ("database", "restart"):
            raise Trouble("no virtual environment with Wagtail was found in %s; the plan's path has to be the folder that "
                          "holds the project and its environment" % found["root"])
        python = sys.executable
    os.chdir(found["folder"])
    if script == "manage":
        os.execve(python, [python, "-B", "manage.py"] + arguments, environment)
    file = os.path.join(os.path.dirname(os.path.abspath(__file__)), script + ".py")
    os.execve(python, [python, "-B", file, json.dumps(found)] + arguments, environment)


if __name__ == "__main__":
    try:
        main()
    except (Trouble, OSError, IndexError) as error:
        sys.stderr.write("%s\n" % error)
        sys.exit(3)
