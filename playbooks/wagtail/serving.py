"""Says whether the processes that serve the site run the code that is on the disk:

    serving.py … URL

Wagtail writes the address of its style sheet with a digest of its version (or of its collected files) into the page on which
editors log in. What the page has and what the code on the disk writes have to be the same.
"""

import contextlib
import sys
import urllib.error
import urllib.parse
import urllib.request

import intendant_inside as inside
import intendant_project as project

MOST_BYTES = 4 << 20


def page(address):
    request = urllib.request.Request(address, headers={"User-Agent": "intendant", "Cache-Control": "no-cache"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return answer.read(MOST_BYTES).decode("utf-8", "replace")


def main():
    found, (url,) = project.project()
    with contextlib.redirect_stdout(sys.stderr):
        trouble = inside.start()
        if trouble:
            raise project.Trouble("Django does not start: %s" % trouble)
        import wagtail

        path, sheet = inside.login_page()
    try:
        text = page(urllib.parse.urljoin(url, path))
    except (urllib.error.URLError, OSError, ValueError) as error:
        # A site may keep its editors' pages to some addresses, and a host may not reach its own name.
        print("serving: not known, this host does not get %s: %s" % (path, inside.one_line(error)))
        return
    if "/wagtailadmin/" not in text:
        print("serving: not known, %s is no page of Wagtail's" % path)
    elif sheet.replace("&", "&amp;") in text or sheet in text:
        print("serving: %s" % wagtail.__version__)
    else:
        print("serving: older code than Wagtail %s, which is installed: its processes were not started again" % wagtail.__version__)
        sys.exit(1)


if __name__ == "__main__":
    try:
        main()
    except project.Trouble as error:
        sys.stderr.write("%s\n" % error)
        sys.exit(4)
