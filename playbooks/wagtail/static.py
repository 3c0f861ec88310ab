"""Collects files for the web server, where the site's settings say to where."""

import sys

import intendant_inside as inside
import intendant_project as project


def main():
    found, _ = project.project()
    trouble = inside.start()
    if trouble:
        raise project.Trouble("Django does not start: %s" % trouble)
    folder = inside.static_folder()
    if folder is None:
        print("nothing is collected: no STATIC_ROOT")
        return
    if not project.lies_in(folder, found["root"]):
        raise project.Trouble("%s (STATIC_ROOT) lies outside of the site's folder" % folder)
    from django.core.management import call_command

    call_command("collectstatic", interactive=False, no_color=True)


if __name__ == "__main__":
    try:
        main()
    except project.Trouble as error:
        sys.stderr.write("%s\n" % error)
        sys.exit(4)
