"""Prints what is installed now, read from the disk again. It works while apps, settings or Django itself are broken."""

import contextlib
import importlib.metadata
import subprocess
import sys

import intendant_inside as inside
import intendant_project as project
from intendant_project import normal


def code_says():
    """Wagtail's own code, asked in a process of its own: what its record says may be another version."""
    code = "import wagtail; print('@' + wagtail.__version__)"
    try:
        done = subprocess.run([sys.executable, "-B", "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, check=False)
    except (OSError, subprocess.SubprocessError):
        return None
    lines = [line for line in done.stdout.decode("utf-8", "replace").splitlines() if line.startswith("@")]
    return lines[-1][1:].strip() if done.returncode == 0 and lines else None


def same(one, other):
    try:
        from pip._vendor.packaging.version import InvalidVersion, Version
    except ImportError:
        return one == other
    try:
        return Version(one) == Version(other)
    except InvalidVersion:
        return one == other


def main():
    found, _ = project.project()
    versions = {}
    for one in importlib.metadata.distributions(path=project.site_packages(found["venv"])):
        name = one.metadata["Name"]
        if name and one.version:
            versions.setdefault(normal(name), one.version)
    recorded, says = versions.pop("wagtail", None), code_says()
    document = {"versions": {"package:" + name: version for name, version in versions.items()}}
    if recorded and says:
        document["versions"]["core:core"] = recorded if same(recorded, says) else says
    with contextlib.redirect_stdout(sys.stderr):
        try:
            if inside.start() is None:
                document["database"] = inside.database()
        except BaseException as error:  # the site's own code, which may raise anything
            sys.stderr.write("the migrations are not known: %s\n" % inside.one_line(error))
    project.say("versions", document)


if __name__ == "__main__":
    main()
