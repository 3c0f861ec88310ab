"""Compares the files of the core and of what the project asks for with what each package's own record says of them.

The record is what pip wrote down of the publisher's package when it was installed.
"""

import base64
import csv
import hashlib
import importlib.metadata
import io
import os

import intendant_project as project
from intendant_project import normal

MOST_FILES = 60000
MOST_SHOWN = 20


def digest(path, kind):
    with open(path, "rb") as file:
        made = hashlib.new(kind)
        for part in iter(lambda: file.read(1 << 20), b""):
            made.update(part)
    return base64.urlsafe_b64encode(made.digest()).decode().rstrip("=")


def compare(one, root):
    """The state of one package."""
    record = one.read_text("RECORD")
    if not record:
        return {"state": "unknown", "why": "it has no record of its files"}
    place, differs, compared = os.path.dirname(str(one._path)), [], 0
    for at, row in enumerate(csv.reader(io.StringIO(record))):
        if at >= MOST_FILES:
            return {"state": "unknown", "why": "its record has more than %d files" % MOST_FILES}
        if len(row) < 2 or "=" not in row[1] or row[0].endswith(".pyc"):
            continue
        kind, _, wanted = row[1].partition("=")
        path = os.path.normpath(os.path.join(place, row[0]))
        # What pip writes anew for this host is in `bin`; nothing outside of the environment is looked at.
        if kind not in ("sha256", "sha384", "sha512") or row[0].startswith(".."):
            continue
        compared += 1
        try:
            if digest(path, kind) != wanted:
                differs.append(path)
        except OSError:
            differs.append(path)
    if differs:
        return {"state": "modified", "files": [os.path.relpath(path, root) for path in differs[:MOST_SHOWN]]}
    return {"state": "verified"} if compared else {"state": "unknown", "why": "its record has no digests"}


def main():
    try:
        import intendant_requirements as requirements
    except ImportError:  # no pip, or a very old one
        requirements = None
    found, _ = project.project()
    try:
        names = requirements.Requirements(found["root"], found["folder"]).names()
    except Exception:  # a lock of another program, a file that can't be read, no pip: the core is looked at anyway
        names = set()
    document = []
    for one in importlib.metadata.distributions(path=project.site_packages(found["venv"])):
        name = normal(one.metadata["Name"] or "")
        if name in names | {"wagtail", "django"}:
            component = "core:core" if name == "wagtail" else "package:" + name
            document.append(dict(compare(one, found["root"]), component=component))
    project.say("packages", {"checksums": sorted(document, key=lambda one: one["component"])})


if __name__ == "__main__":
    main()
