"""Prints the inventory: the core (Wagtail), what the project asks for besides, the platform and the accounts.

Runs in the site's own Python, begun by intendant_project.py. Only what Django itself has to tell is left out where it can't start.
"""

import importlib.metadata
import os
import re
import sys
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

import intendant_inside as inside
import intendant_project as project
from intendant_project import normal

# Installed by every environment for itself.
TOOLS = {"pip", "setuptools", "wheel", "distribute", "pkg-resources"}
# How many trains of the core, and how many versions of a package, are looked at.
MOST_TRAINS, MOST_TRIES = 8, 8
# pip with the `packaging` that is used here.
LEAST_PIP = (21, 3)


def train(version, numbers):
    return tuple(version.release[at] if at < len(version.release) else 0 for at in range(numbers))


class Installed:
    """The packages of the environment, by their names as indexes compare them."""

    def __init__(self, folders):
        self.packages, self.titles, self.leftovers = {}, {}, []
        for found in importlib.metadata.distributions(path=folders):
            title = found.metadata["Name"]
            if title and normal(title) not in self.packages and found.version:
                self.packages[normal(title)] = found
                self.titles[normal(title)] = title
        for folder in folders:
            self.leftovers += [name for name in sorted(os.listdir(folder)) if name.startswith("~")][:20]

    def version(self, name):
        return self.packages[name].version if name in self.packages else None

    def needs(self, name):
        return requirements.wanted(self.packages[name].requires or [])

    def elsewhere(self, name):
        """Whether it came from no index: a repository, a folder, an address."""
        return bool(self.packages[name].read_text("direct_url.json"))

    def modules(self, name):
        top = (self.packages[name].read_text("top_level.txt") or "").split()
        files = [str(path).split("/")[0] for path in (self.packages[name].files or [])[:2000]]
        return {module for module in top + files if module.isidentifier()}


class Offers:
    """What the indexes have, and what of it fits beside the rest."""

    def __init__(self, installed, held, needed):
        self.installed, self.held, self.indexes = installed, held, Indexes(needed.options if needed else [])
        self.ranges = needed.ranges() if needed else {}
        self.asked = {}

    def ask(self, names):
        with ThreadPoolExecutor(8) as threads:
            for name, found in zip(names, threads.map(self.indexes.releases, names)):
                self.asked[name] = found

    def sources(self):
        """One for each index. It answered if it answered for every package, and the core is on one of them."""
        if self.indexes.unused:
            return [{"name": "pip", "reachable": False, "why": "the site's pip is told to use no index (no-index)"}]
        found = []
        for address in self.indexes.addresses:
            whys = ["%s: %s" % (name, troubles[address])
                    for name, (_, troubles, _) in sorted(self.asked.items()) if address in troubles]
            found.append({"name": urllib.parse.urlsplit(address).hostname or "index", "reachable": not whys,
                          "why": whys[0] if whys else None})
        if all(one["reachable"] for one in found) and not self.asked["wagtail"][0]:
            found[0].update(reachable=False, why="it has no Wagtail that this Python can install")
        return found

    def unknown(self, name):
        """Whether all indexes answered, and none has it."""
        _, troubles, known = self.asked.get(name, ([], {}, True))
        return not troubles and not known

    def newer(self, name):
        present = Version(self.installed.version(name))
        return [one for one in self.asked[name][0]
                if one["version"] > present and (present.is_prerelease or not one["version"].is_prerelease)]

    def conflict(self, name, release, versions):
        """What speaks against a release beside these versions, a package that is held or the project's own range (its name); nothing,
        if it fits."""
        for other, wants in requirements.wanted(self.indexes.needs(release) or []):
            if other in self.held and versions.get(other) and not wants.contains(versions[other], prereleases=True):
                return other, wants
        for other in self.held:
            for asked, wants in self.installed.needs(other) if other != name else []:
                if asked == name and not wants.contains(release["version"], prereleases=True):
                    return other, wants
        if name in self.ranges and not self.ranges[name].contains(release["version"], prereleases=True):
            return name, self.ranges[name]
        return None

    def by_hand(self, name, release, requires, against):
        """An offer that somebody has to make possible first."""
        other, wants = against
        if other == name:
            why = "the project's requirements allow %s%s: change that by hand" % (self.installed.titles[name], wants)
        else:
            why = "%s %s is installed, and the two go together only with %s: change what the project asks for by hand" % (
                self.installed.titles[other], self.installed.version(other), wants)
        return dict(self.as_offer(release, requires), package=False, manual=why)

    def as_offer(self, release, requires):
        return {"version": str(release["version"]), "package": True, "published": release["published"],
                "source": urllib.parse.urlsplit(release["url"]).hostname, "requires": requires}

    def core(self):
        """The newest version of each newer train that fits, or that only waits for a newer Python or Django."""
        trains, offers = {}, []
        for one in self.newer("wagtail"):
            trains.setdefault(train(one["version"], 2), one)
        versions = {name: self.installed.version(name) for name in self.held}
        for release in list(trains.values())[:MOST_TRAINS]:
            requires = {"python": release["python"]} if release["python"] else {}
            against = self.conflict("wagtail", release, versions)
            if against and against[0] == "django" and least(str(against[1])):
                requires["django"] = least(str(against[1]))
                against = None if Version(requires["django"]) > Version(versions["django"]) else against
            if against is None:
                offers.append(self.as_offer(release, requires))
            else:
                offers.append(self.by_hand("wagtail", release, requires, against))
        return offers

    def extension(self, name, core):
        """The newest version that fits what is installed; else one that needs a newer core that is offered."""
        versions = {other: self.installed.version(other) for other in self.held}
        tried, waiting, by_hand = 0, None, None
        present = Version(self.installed.version(name))
        newer = self.newer(name)
        if name == "django":
            # Fixes first; a new feature version only where there are none.
            newer.sort(key=lambda one: (train(one["version"], 2) == train(present, 2), one["version"]), reverse=True)
        for release in newer:
            if release["python"]:
                continue
            tried += 1
            if tried > MOST_TRIES:
                break
            against = self.conflict(name, release, versions)
            if against is None:
                return self.as_offer(release, {})
            if against[0] == "wagtail" and waiting is None:
                for offer in core:
                    if against[1].contains(offer["version"]) and not self.conflict(
                            name, release, dict(versions, wagtail=offer["version"])):
                        waiting = self.as_offer(release, {"core": offer["version"]})
            elif against[0] == name:
                by_hand = by_hand or self.by_hand(name, release, {}, against)
        return waiting or by_hand


def unwritable(installed, name):
    """The first thing of a package that this account can't replace."""
    place = os.path.dirname(str(installed.packages[name]._path))
    for path in [place] + [os.path.join(place, module) for module in sorted(installed.modules(name))]:
        if os.path.exists(path) and not os.access(path, os.W_OK):
            return path
    return None


def running(found):
    """pip or a migration of this site that somebody runs now."""
    busy = []
    for name in os.listdir("/proc"):
        one = project.process(int(name)) if name.isdigit() and int(name) != os.getpid() else None
        words = [os.path.basename(word) for word in one["arguments"]] if one else []
        ours = one and (project.lies_in(os.path.abspath(one["arguments"][0] or "/"), found["root"])
                        or project.lies_in(one["folder"], found["root"]))
        # Its other arguments may hold a password, as addresses of indexes do.
        for program, what in (("pip", "install"), ("manage.py", "migrate")):
            if ours and program in words and what in words:
                busy.append({"what": "%s %s is running" % (program, what), "lift": "kill %d" % one["pid"]})
    return busy[:20]


def unsupported(found, installed, asked, refused):
    """Why this site can be looked at and kept in snapshots, and not be updated."""
    if found["outside"]:
        return ("the virtual environment %s lies outside of the site's folder, so snapshots don't hold it; give the plan the "
                "path of the folder that holds both" % found["venv"])
    if refused:
        return refused
    pip = installed.version("pip") or "0"
    if tuple(int(part) for part in pip.split(".")[:2] if part.isdigit()) < LEAST_PIP:
        return "pip %s is older than %d.%d; bring it up to date: %s/bin/python -m pip install -U pip" % (
            (pip,) + LEAST_PIP + (found["venv"],))
    if installed.elsewhere("wagtail"):
        return "Wagtail was installed from elsewhere than an index, so nothing can be offered for it"
    static = asked.get("static")
    if static and not project.lies_in(static, found["root"]):
        return ("collected files go to %s (STATIC_ROOT), outside of the site's folder, so they could not be put back; give the "
                "plan the path of the folder that holds both" % static)
    return None


def ask_django():
    """Whatever Django tells; what it does not tell is left out."""
    import contextlib

    # What the site's own code prints is no part of the document.
    with contextlib.redirect_stdout(sys.stderr):
        trouble = inside.start()
        asked = {}
        if trouble is not None:
            sys.stderr.write("Django does not start: %s\n" % trouble)
        else:
            for key, question in (("database", inside.database), ("administrators", inside.administrators),
                                  ("address", inside.address), ("static", inside.static_folder), ("modules", inside.modules)):
                try:
                    asked[key] = question()
                except BaseException as error:  # as above
                    sys.stderr.write("%s: %s\n" % (key, inside.one_line(error)))
    return asked


def main():
    found, _ = project.project()
    installed = Installed(project.site_packages(found["venv"]))
    if "wagtail" not in installed.packages:
        sys.exit("Wagtail is not whole in %s%s: restore the snapshot of before, or install it again (pip install -r requirements.txt)" % (
            found["venv"], ", where an interrupted pip left " + ", ".join(installed.leftovers[:3]) if installed.leftovers else ""))
    refused, needed = None, None
    try:
        needed = requirements.Requirements(found["root"], found["folder"])
    except requirements.Refused as error:
        refused = str(error)
    needed_by = {other for name in installed.packages for other, _ in installed.needs(name)}
    names = needed.names() if needed and needed.files else set(installed.packages)
    # What others need comes with those, whether the project names it or not.
    direct = {name for name in names if name in installed.packages and name not in TOOLS
              and (name == "django" or name not in needed_by)} | {"django"} & set(installed.packages)
    direct.discard("wagtail")
    asked = ask_django()
    why_not = unsupported(found, installed, asked, refused)
    offers = Offers(installed, direct | {"wagtail"}, needed)
    from_index = sorted(name for name in direct if not installed.elsewhere(name))
    offers.ask(["wagtail"] + from_index)
    core = offers.core()
    used = set(asked.get("modules") or [])
    extensions = []
    for name in sorted(set(installed.packages) - TOOLS - {"wagtail"}):
        one = {"kind": "package", "slug": name, "title": installed.titles[name], "version": installed.version(name),
               # What is no Django app is there to be imported.
               "active": True, "shipped": name not in direct or name == "django"}
        if name in from_index:
            one["offer"] = offers.extension(name, core)
            one["active"] = bool(used & installed.modules(name)) or not installed.modules(name) or not asked.get("modules") \
                or not is_app(installed, name)
            if offers.unknown(name):
                one["title"] += " (not on the index)"
            if one["offer"]:
                one["unwritable"] = unwritable(installed, name)
        extensions.append(one)
    project.say("inventory", {
        "core": {"title": "Wagtail", "version": installed.version("wagtail"), "offers": core,
                 "unwritable": unwritable(installed, "wagtail") if core else None},
        "platform": {"python": offers.indexes.python, "django": installed.version("django")},
        "database": asked.get("database"), "extensions": extensions, "sources": offers.sources(),
        "administrators": asked.get("administrators"), "address": asked.get("address"), "busy": running(found),
        "leftovers": [{"what": "%s, which an interrupted pip left" % name} for name in installed.leftovers],
        "unsupported": why_not})


def is_app(installed, name):
    """Whether a package is made for Django, and so is of no use while it is switched off."""
    return any(other in ("django", "wagtail") for other, _ in installed.needs(name))


def without_pip(why):
    """What can be told of an environment that pip does not keep, such as one that uv made."""
    found, _ = project.project()
    installed = Installed(project.site_packages(found["venv"]))
    needed_by = {normal(re.split(r"[^A-Za-z0-9._-]", line, maxsplit=1)[0]) for one in installed.packages.values() for line in one.requires or []}
    asked = ask_django()
    project.say("inventory", {
        "core": {"title": "Wagtail", "version": installed.version("wagtail"), "offers": []},
        "platform": {"python": ".".join(map(str, sys.version_info[:3])), "django": installed.version("django")},
        "database": asked.get("database"), "administrators": asked.get("administrators"), "address": asked.get("address"),
        "extensions": [{"kind": "package", "slug": name, "title": installed.titles[name], "version": installed.version(name),
                        "active": True, "shipped": name in needed_by or name == "django"}
                       for name in sorted(set(installed.packages) - TOOLS - {"wagtail"})],
        "sources": [],
        "unsupported": "the virtual environment has no pip that can be used (%s), so nothing is offered; update it with what made it, "
                       "or install pip: %s/bin/python -m ensurepip -U" % (why, found["venv"])})


try:
    from pip._vendor.packaging.version import Version

    import intendant_requirements as requirements
    from intendant_index import Indexes, least
except ImportError as missing:
    no_pip = str(missing)
else:
    no_pip = None

if __name__ == "__main__":
    main() if no_pip is None else without_pip(no_pip)
