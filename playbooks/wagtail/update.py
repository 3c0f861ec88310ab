"""Brings one package to a version, and keeps the requirements in step:

    update.py … NAME VERSION      `core` is Wagtail

What the project asks for besides stays at its version; what comes with it moves only where it has to. pip ends well although
packages don't fit each other, so that is looked at here.
"""

import importlib.metadata
import os
import subprocess
import sys
import tempfile

import intendant_project as project
import intendant_requirements as requirements
from intendant_project import normal


def installed(folders):
    found = {}
    for one in importlib.metadata.distributions(path=folders):
        if one.metadata["Name"] and one.version:
            found.setdefault(normal(one.metadata["Name"]), one.version)
    return found


def conflicts(folders, versions):
    """What does not fit together, as `pip check` tells it."""
    found = set()
    for one in importlib.metadata.distributions(path=folders):
        for other, wants in requirements.wanted(one.requires or []):
            if other not in versions:
                found.add("%s needs %s, which is missing" % (one.metadata["Name"], other))
            elif not wants.contains(versions[other], prereleases=True):
                found.add("%s needs %s%s, and %s is there" % (one.metadata["Name"], other, wants, versions[other]))
    return found


def main():
    found, (name, version) = project.project()
    name = "wagtail" if name == "core" else normal(name)
    needed = requirements.Requirements(found["root"], found["folder"])
    folders = project.site_packages(found["venv"])
    before = installed(folders)
    wrong = conflicts(folders, before)
    # What the project itself names stays, but for what others need: that may have to move along.
    needed_by = {other for one in importlib.metadata.distributions(path=folders)
                 for other, _ in requirements.wanted(one.requires or [])}
    held = [other for other in sorted(needed.names() & set(before) - {name})
            if other not in needed_by or other in ("django", "wagtail")]
    with tempfile.TemporaryDirectory(prefix="intendant.") as folder:
        constraints = os.path.join(folder, "constraints.txt")
        with open(constraints, "w", encoding="utf-8") as file:
            file.write("".join("%s\n" % line for line in needed.options))
            file.write("".join("%s==%s\n" % (other, before[other]) for other in held if not from_elsewhere(folders, other)))
        # Compiled files are what the site's processes would write at their start.
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
        done = subprocess.run([sys.executable, "-m", "pip", "install", "--upgrade-strategy", "only-if-needed", "--progress-bar", "off",
                               "-c", constraints, "%s==%s" % (name, version)], env=environment, check=False)
    if done.returncode:
        sys.exit(done.returncode if 0 < done.returncode < 64 else 1)
    after = installed(folders)
    new = conflicts(folders, after) - wrong
    if new:
        sys.stderr.write("pip installed what does not fit together: %s\n" % "; ".join(sorted(new)[:5]))
        sys.exit(4)
    # Of what moved, and of what was asked for; a pin that did not fit before is somebody else's.
    moved = {other: now for other, now in after.items() if before.get(other) != now}
    for path, lines in requirements.Requirements(found["root"], found["folder"]).kept_in_step(moved).items():
        requirements.write(path, lines)
        print("%s: %s" % (os.path.relpath(path, found["root"]), "kept in step"))


def from_elsewhere(folders, name):
    """What came from a repository or a folder can't be pinned by its version."""
    for one in importlib.metadata.distributions(path=folders):
        if normal(one.metadata["Name"] or "") == name:
            return bool(one.read_text("direct_url.json"))
    return False


if __name__ == "__main__":
    try:
        main()
    except (requirements.Refused, OSError) as error:
        sys.stderr.write("%s\n" % error)
        sys.exit(3)
