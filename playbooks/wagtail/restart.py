"""Starts the site's processes again, so that they run the code that is on the disk. Needs no rights but the account's own.

gunicorn and uWSGI are told by SIGHUP, and are waited for until none of their old workers is left. Whatever else serves the site
(another account's process, mod_wsgi, Passenger) has to be named in the plan: `restart`.
"""

import os
import signal
import subprocess
import sys
import time

import intendant_project as project

# How long old workers may take to end what they do.
PATIENCE = 45


def tree(root):
    """The servers that nobody of them started, each with its workers' pids and start times."""
    running = project.servers(root)
    pids = {one["pid"] for one in running}
    masters = {one["pid"]: set() for one in running if one["parent"] not in pids}
    for one in running:
        if one["parent"] in masters:
            masters[one["parent"]].add((one["pid"], one["started"]))
    return masters


def loads():
    """Whether the code loads at all: workers that still run are not ended for code that does not."""
    code = "from django.core.wsgi import get_wsgi_application; get_wsgi_application()"
    done = subprocess.run([sys.executable, "-B", "-c", code], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=False)
    if done.returncode:
        last = done.stdout.decode("utf-8", "replace").strip().splitlines()[-1:] or ["it said nothing"]
        raise project.Trouble("the site's code does not load, so its processes go on as they are: %s" % last[0][:300])


def main():
    found, _ = project.project()
    loads()
    before = tree(found["root"])
    if not before:
        raise project.Trouble("no gunicorn and no uWSGI of this account serves %s; say in the plan how its processes are started again "
                              "(restart)" % found["root"])
    for master in before:
        os.kill(master, signal.SIGHUP)
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        time.sleep(0.2)
        now = tree(found["root"])
        # A master that ended, because the code does not load, is what starts it again sees to: then others serve.
        if now and all(workers and not workers & before.get(master, set()) for master, workers in now.items()):
            print("started again: %s" % ", ".join(str(master) for master in sorted(now)))
            return
    raise project.Trouble("%d s after SIGHUP the site's processes are not new: %s" % (
        PATIENCE, ", ".join("%d has %d workers" % (master, len(workers)) for master, workers in tree(found["root"]).items()) or "none runs"))


if __name__ == "__main__":
    try:
        main()
    except (project.Trouble, OSError, subprocess.SubprocessError) as error:
        sys.stderr.write("%s\n" % error)
        sys.exit(4)
