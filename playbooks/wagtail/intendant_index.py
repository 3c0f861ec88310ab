"""Asks the package indexes that the site's pip is configured with. Used by inventory.py.

pip itself says the same of an index that is down and of one that has nothing new, so it is not asked.
"""

import ast
import base64
import email
import html.parser
import json
import netrc
import os
import ssl
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request

from pip._vendor.packaging import tags, utils
from pip._vendor.packaging.specifiers import InvalidSpecifier, SpecifierSet
from pip._vendor.packaging.version import InvalidVersion, Version

DEFAULT = "https://pypi.org/simple"
ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"
MOST_BYTES = 64 << 20
TIMEOUT = 20


class Unreachable(Exception):
    """An index gave no usable answer."""


class Links(html.parser.HTMLParser):
    """The files of an index's page."""

    def __init__(self):
        super().__init__()
        self.files = []

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag == "a" and attributes.get("href"):
            address = attributes["href"].partition("#")[0]
            self.files.append({
                "url": address, "filename": urllib.parse.unquote(address.rsplit("/", 1)[-1]),
                "requires-python": attributes.get("data-requires-python"),
                "yanked": "data-yanked" in attributes,
                "core-metadata": "data-core-metadata" in attributes or "data-dist-info-metadata" in attributes})


def pip_settings():
    """pip's own settings: files, then what stands for `install`, then the environment; the last one counts."""
    done = subprocess.run([sys.executable, "-B", "-m", "pip", "config", "list"], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, timeout=60, check=False)
    order, settings = {"global": 0, "install": 1, ":env:": 2}, {}
    for line in done.stdout.decode("utf-8", "replace").splitlines()[:500]:
        key, sign, value = line.partition("=")
        section, dot, name = key.partition(".")
        if not sign or not dot or section not in order:
            continue
        try:
            value = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            continue
        if name not in settings or order[section] >= settings[name][0]:
            settings[name] = (order[section], str(value))
    return {name: value for name, (_, value) in settings.items()}


class Indexes:
    """All indexes of one site."""

    def __init__(self, options):
        """`options`: lines of requirements that name indexes."""
        self.settings = pip_settings()
        main, more = self.settings.get("index-url", DEFAULT), self.settings.get("extra-index-url", "").split()
        for line in options:
            name, _, value = line.replace("=", " ", 1).partition(" ")
            if name == "--extra-index-url":
                more.append(value.strip())
            else:
                main = value.strip()
        self.addresses = list(dict.fromkeys(address.rstrip("/") for address in [main] + more))
        self.unused = self.settings.get("no-index", "").lower() in ("1", "true", "yes", "on")
        self.tags = frozenset(tags.sys_tags())
        self.python = ".".join(map(str, sys.version_info[:3]))
        handlers = [urllib.request.HTTPSHandler(context=self._context())]
        if self.settings.get("proxy"):
            handlers.append(urllib.request.ProxyHandler(dict.fromkeys(("http", "https"), self.settings["proxy"])))
        self.opener = urllib.request.build_opener(*handlers)
        trusted = ssl.create_default_context()
        trusted.check_hostname, trusted.verify_mode = False, ssl.CERT_NONE
        self.trusting = urllib.request.build_opener(urllib.request.HTTPSHandler(context=trusted))
        self.trusted = self.settings.get("trusted-host", "").split()

    def _context(self):
        context = ssl.create_default_context()
        named = self.settings.get("cert") or os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
        if named and os.path.exists(named):
            context.load_verify_locations(**{"capath" if os.path.isdir(named) else "cafile": named})
        else:
            try:
                from pip._vendor import certifi
                context.load_verify_locations(certifi.where())
            except (ImportError, OSError):
                pass
        return context

    def _get(self, address, accept):
        parts = urllib.parse.urlsplit(address)
        host = parts.hostname or ""
        plain = urllib.parse.urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
        request = urllib.request.Request(plain, headers={"Accept": accept, "User-Agent": "intendant"})
        user, password = parts.username, parts.password
        if user is None:
            try:
                user, _, password = netrc.netrc().authenticators(host) or (None, None, None)
            except (OSError, netrc.NetrcParseError):
                pass
        if user is not None:
            both = "%s:%s" % (urllib.parse.unquote(user), urllib.parse.unquote(password or ""))
            request.add_header("Authorization", "Basic " + base64.b64encode(both.encode()).decode())
        opener = self.trusting if host in self.trusted or parts.netloc in self.trusted else self.opener
        why = ""
        for _ in range(2):
            try:
                with opener.open(request, timeout=TIMEOUT) as answer:
                    body = answer.read(MOST_BYTES + 1)
                    if len(body) > MOST_BYTES:
                        raise Unreachable("an answer of more than %d MB" % (MOST_BYTES >> 20))
                    return body, answer.headers.get_content_type(), answer.geturl()
            except urllib.error.HTTPError as error:
                if error.code in (404, 410):
                    return None, "", plain
                why = "status %d" % error.code
                if error.code < 500:
                    break
            except (OSError, ValueError) as error:
                why = str(getattr(error, "reason", error)) or type(error).__name__
            except Exception as error:  # what http.client raises of an answer that is none
                why = type(error).__name__
        raise Unreachable(why)

    def files(self, address, name):
        """The files of a package on one index; none where it has no such package."""
        body, kind, final = self._get("%s/%s/" % (address, name), ACCEPT)
        if body is None:
            return None
        try:
            if kind.endswith("json"):
                found = json.loads(body.decode("utf-8"))["files"]
            elif kind in ("text/html", "application/vnd.pypi.simple.v1+html"):
                page = Links()
                page.feed(body.decode("utf-8", "replace"))
                found = page.files
                if not found and b"</html>" not in body.lower():
                    raise ValueError("a page that is cut")
            else:
                raise ValueError("an answer of the type %s" % kind[:40])
            return [dict(one, url=urllib.parse.urljoin(final, one["url"])) for one in found[:50000]]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Unreachable("no list of packages: %s" % error) from error

    def releases(self, name):
        """What can be installed of a package, newest first; `why` for each index that gave no answer."""
        found, troubles, known = {}, {}, False
        for address in self.addresses:
            try:
                files = self.files(address, name)
            except Unreachable as error:
                troubles[address] = str(error)
                continue
            known = known or files is not None
            for one in files or []:
                release = self._release(name, one)
                if release:
                    best = found.setdefault(release["version"], release)
                    if release["wheel"] and not best["wheel"]:
                        found[release["version"]] = release
        return [found[version] for version in sorted(found, reverse=True)], troubles, known

    def _release(self, name, one):
        """A file that this Python can install; `python` is set where it asks for another one."""
        filename, wheel = str(one.get("filename", "")), False
        try:
            if filename.endswith(".whl"):
                wheel = True
                named, version, _, fits = utils.parse_wheel_filename(filename)
                if not fits & self.tags:
                    return None
            elif filename.endswith((".tar.gz", ".zip")):
                named, version = utils.parse_sdist_filename(filename)
            else:
                return None
            if named != name or one.get("yanked"):
                return None
        except (InvalidVersion, utils.InvalidWheelFilename, utils.InvalidSdistFilename, ValueError):
            return None
        python = one.get("requires-python") or ""
        try:
            fits = SpecifierSet(python).contains(self.python)
        except InvalidSpecifier:
            fits = True
        return {"version": version, "wheel": wheel, "url": one["url"], "published": one.get("upload-time"),
                "metadata": bool(one.get("core-metadata") or one.get("dist-info-metadata")),
                "python": None if fits else least(python)}

    def needs(self, release):
        """What a release asks for; none where the index does not say."""
        if not release["metadata"]:
            return None
        try:
            body, _, _ = self._get(release["url"] + ".metadata", "*/*")
        except Unreachable:
            return None
        if body is None:
            return None
        return email.message_from_bytes(body[:1 << 20]).get_all("Requires-Dist") or []


def least(wants):
    """The least version that a specifier lets in, as a text; none where it has no such bound."""
    try:
        bounds = [part.version for part in SpecifierSet(wants) if part.operator in (">=", "~=", "==", ">")]
        return str(max(Version(bound.rstrip(".*")) for bound in bounds)) if bounds else None
    except (InvalidSpecifier, InvalidVersion):
        return None
