"""The stand-in for PyPI: wheels of our own, and an index of pages as pypi.org has them.

    standin.py wheels WHEELS             makes our own wheels beside the real ones
    standin.py index WHEELS WWW WHAT     writes what the index offers: none, good, broken, lying, failing

Wagtail, Django and all else are real; `testbed-banner` is made for the tests: 1.1 migrates its table, 1.2 migrates it too and
breaks the pages that visitors see.
"""

import base64
import hashlib
import os
import re
import shutil
import sys
import zipfile

WHEN = (2026, 11, 2, 3, 4, 6)

MODELS = """from django.db import models


class Banner(models.Model):
    text = models.CharField(max_length=200)
%s"""
MIDDLEWARE = """class Banner:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
%s        answer = self.get_response(request)
        answer["X-Testbed-Banner"] = "%s"
        return answer
"""
BREAKS = """        if not request.path.startswith("/admin/"):
            raise RuntimeError("testbed-banner 1.2 breaks what visitors see")
"""
TAG = """from django import template
from django.utils.html import format_html

from testbed_banner.models import Banner

register = template.Library()


@register.simple_tag
def testbed_banner():
    banner = Banner.objects.first()
    return format_html("<p>{}</p>", banner.text) if banner else ""
"""
FIRST = """from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [migrations.CreateModel("Banner", [
        ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
        ("text", models.CharField(max_length=200))])]
"""
ADDS = """from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("testbed_banner", "%s")]
    operations = [migrations.AddField("banner", "%s", models.CharField(default="", max_length=20))]
"""
FIELD = '    %s = models.CharField(default="", max_length=20)\n'


def banner(version):
    later = {"1.0": [], "1.1": ["colour"], "1.2": ["colour", "place"]}[version]
    files = {
        "testbed_banner/__init__.py": "__version__ = '%s'\n" % version,
        "testbed_banner/models.py": MODELS % "".join(FIELD % name for name in later),
        "testbed_banner/middleware.py": MIDDLEWARE % (BREAKS if version == "1.2" else "", version),
        "testbed_banner/templatetags/__init__.py": "",
        "testbed_banner/templatetags/testbed_banner.py": TAG,
        "testbed_banner/migrations/__init__.py": "",
        "testbed_banner/migrations/0001_initial.py": FIRST,
    }
    before = "0001_initial"
    for at, name in enumerate(later, 2):
        files["testbed_banner/migrations/%04d_%s.py" % (at, name)] = ADDS % (before, name)
        before = "%04d_%s" % (at, name)
    folder = "testbed_banner-%s.dist-info/" % version
    files[folder + "METADATA"] = (
        "Metadata-Version: 2.1\nName: testbed-banner\nVersion: %s\nRequires-Python: >=3.8\nRequires-Dist: Wagtail>=7.0\n" % version)
    files[folder + "WHEEL"] = "Wheel-Version: 1.0\nGenerator: testbed\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    return {name: text.encode() for name, text in files.items()}


def write(path, files):
    record = next(name for name in files if name.endswith("/METADATA")).replace("METADATA", "RECORD")
    lines = []
    for name, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
        lines.append("%s,sha256=%s,%d\n" % (name, digest, len(data)))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as out:
        for name, data in list(files.items()) + [(record, "".join(lines + [record + ",,\n"]).encode())]:
            out.writestr(zipfile.ZipInfo(name, WHEN), data, zipfile.ZIP_DEFLATED)


def lying(wheels):
    """Wagtail's old code in a package that calls itself newer."""
    with zipfile.ZipFile(os.path.join(wheels, only(wheels, "wagtail-7.0."))) as old:
        files = {name: old.read(name) for name in old.namelist() if not name.endswith(("/", "/RECORD"))}
    was = re.match(r"wagtail-([0-9.]+)-", only(wheels, "wagtail-7.0.")).group(1)
    now = "7.0.99"
    files = {name.replace("wagtail-%s.dist-info" % was, "wagtail-%s.dist-info" % now): data for name, data in files.items()}
    meta = "wagtail-%s.dist-info/METADATA" % now
    files[meta] = files[meta].replace(("Version: %s\n" % was).encode(), ("Version: %s\n" % now).encode(), 1)
    write(os.path.join(wheels, "lying", "wagtail-%s-py3-none-any.whl" % now), files)


def failing(wheels):
    """The new Wagtail with bytes that are wrong in one of its last files: pip sees it while it installs."""
    name = only(wheels, "wagtail-7.4.")
    with zipfile.ZipFile(os.path.join(wheels, name)) as new:
        inside = [one for one in new.infolist() if one.filename.startswith("wagtail/") and one.compress_size > 2000][-1]
    with open(os.path.join(wheels, name), "rb") as file:
        data = bytearray(file.read())
    at = inside.header_offset + 30 + len(inside.filename) + inside.compress_size // 2
    data[at:at + 64] = bytes(64)
    with open(os.path.join(wheels, "failing", name), "wb") as file:
        file.write(data)


def only(wheels, beginning):
    found = [name for name in sorted(os.listdir(wheels)) if name.startswith(beginning)]
    if len(found) != 1:
        sys.exit("%s has not just one %s" % (wheels, beginning))
    return found[0]


def make(wheels):
    for kind in ("lying", "failing"):
        os.makedirs(os.path.join(wheels, kind), exist_ok=True)
    for version in ("1.0", "1.1", "1.2"):
        write(os.path.join(wheels, "testbed_banner-%s-py3-none-any.whl" % version), banner(version))
    lying(wheels)
    failing(wheels)


def shown(wheels, what):
    """The files that the index lists."""
    pins = {"old": [], "new": []}
    for which in pins:
        with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), which + ".txt"), encoding="utf-8") as file:
            pins[which] = [line.split(" ")[0].replace("==", "-") + "-" for line in file if "==" in line]
    every = [name for name in sorted(os.listdir(wheels)) if name.endswith(".whl")]
    of = lambda which: [name for name in every if name.startswith(tuple(pins[which]))]
    files = of("old") + [only(wheels, "testbed_banner-1.0-")]
    if what == "good":
        files += of("new") + [only(wheels, "testbed_banner-1.1-")]
    elif what == "broken":
        files.append(only(wheels, "testbed_banner-1.2-"))
    elif what == "lying":
        files += [os.path.join("lying", name) for name in os.listdir(os.path.join(wheels, "lying"))]
    elif what == "failing":
        files += [name for name in of("new") if not name.startswith(("wagtail-", "wagtailmedia-"))]
        files += [os.path.join("failing", name) for name in os.listdir(os.path.join(wheels, "failing"))]
    elif what != "none":
        sys.exit("%s is nothing that can be offered" % what)
    return files


def index(wheels, www, what):
    os.makedirs(os.path.join(www, "packages"), exist_ok=True)
    pages, installed = {}, set(shown(wheels, "none"))
    for file in shown(wheels, what):
        name = os.path.basename(file)
        place, there = os.path.join(www, "packages", name), os.path.join(wheels, file)
        with zipfile.ZipFile(there) as wheel:
            metadata = wheel.read(next(one for one in wheel.namelist() if one.endswith(".dist-info/METADATA")))
        with open(place + ".metadata", "wb") as out:
            out.write(metadata)
        # What is installed is never downloaded again; it takes no room.
        if file not in installed:
            shutil.copyfile(there, place)
        python = re.search(rb"(?mi)^Requires-Python: *(.*?)\r?$", metadata)
        wants = ' data-requires-python="%s"' % python.group(1).decode().replace(">", "&gt;").replace("<", "&lt;") if python else ""
        package = re.sub(r"[-_.]+", "-", name.split("-")[0]).lower()
        pages.setdefault(package, []).append(
            '<a href="https://files.pythonhosted.org/packages/%s"%s data-core-metadata="true">%s</a><br />' % (name, wants, name))
    new = os.path.join(www, "simple.new")
    shutil.rmtree(new, ignore_errors=True)
    for package, links in pages.items():
        os.makedirs(os.path.join(new, package))
        with open(os.path.join(new, package, "index.html"), "w", encoding="utf-8") as out:
            out.write('<!DOCTYPE html>\n<html><head><meta name="pypi:repository-version" content="1.1" /><title>Links for %s</title>'
                      "</head><body><h1>Links for %s</h1>\n%s\n</body></html>\n" % (package, package, "\n".join(links)))
    shutil.rmtree(os.path.join(www, "simple"), ignore_errors=True)
    os.rename(new, os.path.join(www, "simple"))


if __name__ == "__main__":
    {"wheels": make, "index": index}[sys.argv[1]](*sys.argv[2:])
