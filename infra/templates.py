"""Compiles the templates of an artefact: `python -m infra.templates DIRECTORY`.

The same environments compile them that load them in a function, so nothing differs but the moment.
"""

import sys
from pathlib import Path

from jinja2 import Environment, FileSystemLoader

from shared.messages import render as emails
from shared.templates import COMPILED
from shared.web import render as pages

PAGES = ("functions/portal/pages", "functions/console/pages", "shared/web/pages")
EMAILS = "shared/messages/templates"
SUFFIXES = (".html", ".txt", ".j2")


def compile_into(app: Path) -> None:
    """Put the modules of each folder of templates below `app` beside it."""
    for name in PAGES:
        folder = app / name
        _compile(pages.environment(FileSystemLoader(folder)), folder / COMPILED)
    for body in emails.BODIES:
        folder = app / EMAILS
        _compile(emails.environment(body, FileSystemLoader(folder)), folder / COMPILED / body)


def _compile(environment: Environment, into: Path) -> None:
    environment.compile_templates(
        into,
        zip=None,
        filter_func=lambda name: name.endswith(SUFFIXES),
        ignore_errors=False,
    )


if __name__ == "__main__":
    compile_into(Path(sys.argv[1]))
