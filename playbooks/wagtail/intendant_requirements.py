"""The files in which a project says what it needs: what they name, and pins that are kept in step.

Used by inventory.py and update.py, with the site's own Python and its pip's `packaging`.
"""

import os
import re

from intendant_project import normal
from pip._vendor.packaging.markers import Marker, UndefinedEnvironmentName
from pip._vendor.packaging.requirements import InvalidRequirement, Requirement
from pip._vendor.packaging.specifiers import InvalidSpecifier, SpecifierSet

MOST_FILES = 20
MOST_BYTES = 1 << 20
# Those that may be the main one, the first that is there.
NAMES = ("requirements.txt", "requirements/production.txt", "requirements/prod.txt", "requirements/base.txt",
         "requirements/requirements.txt")
# Programs that keep their own record of what is installed, and must be asked instead of pip.
KEEPERS = {"poetry.lock": "Poetry", "uv.lock": "uv", "Pipfile.lock": "Pipenv", "pdm.lock": "PDM"}

LINE = re.compile(r"^(?P<name>\s*[A-Za-z0-9][A-Za-z0-9._-]*(?:\s*\[[^\]]*\])?)(?P<gap>\s*)"
                  r"(?P<wants>\(?[<>=!~][^;#]*?)?(?P<rest>\s*(?:;[^#]*)?(?:\s#.*)?)$")


class Refused(Exception):
    """The project is kept in a way that these scripts must not touch."""


def wanted(lines):
    """What a package asks for here: names and specifiers."""
    found = []
    for line in lines[:500]:
        try:
            one = Requirement(line)
            if one.marker is None or one.marker.evaluate({"extra": ""}):
                found.append((normal(one.name), one.specifier))
        except (InvalidRequirement, UndefinedEnvironmentName):
            continue
    return found


def named(line):
    """The package that a line asks for, and with which versions; none for options, addresses, paths, and what is for other hosts."""
    found = LINE.match(line.rstrip("\r\n"))
    if not found or not applies(found.group("rest").strip()):
        return None, ""
    return normal(found.group("name").split("[")[0]), (found.group("wants") or "").strip("() ")


def applies(rest):
    """Whether what stands behind a line's semicolon is so here; what can't be read is not."""
    marker = rest[1:].split("#")[0].strip() if rest.startswith(";") else ""
    try:
        return not marker or Marker(marker).evaluate({"extra": ""})
    except ValueError:  # no marker, or one of a sort that is not known here
        return False


def is_pin(wants):
    """Whether just one version is asked for."""
    return re.fullmatch(r"={2,3}\s*[^\s,*]+", wants) is not None


class Requirements:
    """All of the files, in the order in which they are read."""

    def __init__(self, root, folder):
        self.root, self.files, self.options = root, {}, []
        places = [os.path.join(place, name) for place in dict.fromkeys((folder, root)) for name in NAMES]
        main = next((path for path in places if os.path.isfile(path)), None)
        if main:
            self._read(main)
        else:
            for place in (folder, root):
                for lock, keeper in KEEPERS.items():
                    if os.path.exists(os.path.join(place, lock)):
                        raise Refused("%s keeps this project (%s), and would undo what pip installs: update it with %s"
                                      % (keeper, lock, keeper))
        wanted = main and re.sub(r"\.txt$", ".in", main)
        self.sources = [wanted] if wanted and os.path.isfile(wanted) else []
        for path in self.sources:
            self._read(path)

    def _read(self, path):
        path = os.path.realpath(path)
        if path in self.files or len(self.files) >= MOST_FILES:
            return
        if not path.startswith(self.root.rstrip("/") + "/"):
            raise Refused("the requirements name %s, which lies outside of the site's folder" % path)
        with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
            lines = file.read(MOST_BYTES).splitlines(keepends=True)
        self.files[path] = lines
        for line in lines:
            if "--hash" in line:
                raise Refused("%s has hashes, which only what wrote it can renew (pip-compile); update it with that" % path)
            other = re.match(r"^\s*(?:-r|-c|--requirement|--constraint)[\s=]*(\S+)", line)
            if other and "://" not in other.group(1):
                self._read(os.path.join(os.path.dirname(path), other.group(1)))
            if re.match(r"^\s*(?:-i|--index-url|--extra-index-url)[\s=]", line):
                self.options.append(line.strip())

    def names(self):
        """What the project itself asks for: of files that were compiled, what they were compiled from."""
        sources = [os.path.realpath(path) for path in self.sources]
        lines = [line for path, lines in self.files.items() if not sources or path in sources for line in lines]
        return {name for name, _ in map(named, lines) if name}

    def ranges(self):
        """Which versions the project itself lets in, where it asks for more than one."""
        found = {}
        for line in [line for lines in self.files.values() for line in lines]:
            name, wants = named(line)
            if not name or not wants or is_pin(wants):
                continue
            try:
                found[name] = found.get(name, SpecifierSet()) & SpecifierSet(wants)
            except InvalidSpecifier:
                continue
        return found

    def kept_in_step(self, versions):
        """The files that have to change so that what is installed fits them, with their new lines."""
        changed = {}
        for path, lines in self.files.items():
            new = [self._line(line, versions) for line in lines]
            if new != lines:
                changed[path] = new
        return changed

    @staticmethod
    def _line(line, versions):
        name, wants = named(line)
        # A range is what somebody decided; what is outside of it is not offered.
        if name not in versions or not is_pin(wants):
            return line
        body = line.rstrip("\r\n")
        found = LINE.match(body)
        # Only the version changes: name, extras, markers, remarks and the line's end stay.
        return found.group("name") + found.group("gap") + "==" + versions[name] + found.group("rest") + line[len(body):]


def write(path, lines):
    """Puts a file in its place at once, with its mode."""
    draft = "%s.%d" % (path, os.getpid())
    try:
        with open(draft, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            file.write("".join(lines))
            os.fchmod(file.fileno(), os.stat(path).st_mode & 0o7777)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except OSError:
        if os.path.exists(draft):
            os.unlink(draft)
        raise
