"""Puts what is deployed where `sam build` wants it: `python -m infra.sam.place DIRECTORY`.

SAM builds each function by itself, and ours are all the same artefact. So it is built once into
`build/app`, again only when what it is made of has changed, and each function gets hard links to
the same files: no time and no space. SAM uploads what is the same once.
"""

import argparse
import hashlib
import os
import shutil
import sys
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from infra import build
from infra.local.template import load

PARAMETERS = {"PublicUrl": "https://example.com", "SenderAddress": "punchcard@example.com"}
"""The template's, of which none changes what is looked up here."""

BUILT_OF = "built-of"
"""The file beside the artefact that says what it was made of."""


def made_of(checkout: Path, *, arch: build.Arch, python: str) -> str:
    """A digest of all that decides what the artefact is: our code, the lock, how it is built."""
    digest = hashlib.sha256(f"{arch} {python}\n".encode())
    compiler = build.find_interpreter(python)
    digest.update(b"bytecode\n" if compiler is not None else b"none\n")
    for path in _sources(checkout):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(checkout).as_posix()} {content}\n".encode())
    return digest.hexdigest()


def _sources(checkout: Path) -> Iterator[Path]:
    for name in build.MAKERS:
        yield checkout / "infra" / name
    yield checkout / "requirements" / "deployed.lock"
    for name in build.OURS:
        for path in sorted((checkout / name).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path


def up_to_date(app: Path, *, arch: build.Arch, python: str) -> bool:
    """Build the artefact at `app` unless it is there already; whether it had to be built."""
    wanted = made_of(build.CHECKOUT, arch=arch, python=python)
    note = app.with_name(f"{app.name}.{BUILT_OF}")
    if app.is_dir() and note.is_file() and note.read_text() == wanted:
        return False
    note.unlink(missing_ok=True)
    built = build.build(app, arch=arch, python=python)
    if built.compiler is None:
        print(f"No bytecode: there is no Python {python} here to make it.", file=sys.stderr)
    note.write_text(wanted)
    return True


def place(app: Path, into: Path, *, leave_out: Collection[str] = ()) -> None:
    """All files of `app` also at `into`, which is emptied first; copied where the two are on
    different disks. `leave_out` are names at the top, and those of packages' descriptions."""
    if into.exists():
        shutil.rmtree(into)

    def ignored(directory: str, names: list[str]) -> list[str]:
        is_top = Path(directory) == app
        return [name for name in names if is_top and name.partition("-")[0] in leave_out]

    shutil.copytree(app, into, copy_function=_linked, ignore=ignored)


def left_out_of(function_name: str) -> Collection[str]:
    """What of the artefact a function of the template has no use for: packages of providers,
    unless it may read the providers' secrets."""
    functions = {one.name: one for one in load(PARAMETERS).functions}
    statements = functions[function_name].statements or ()
    actions = {action for one in statements for action in as_list(one["Action"])}
    return () if "ssm:GetParameter" in actions else build.FOR_PROVIDERS


def _linked(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.sam.place", description=__doc__)
    parser.add_argument("into", type=Path, metavar="DIRECTORY")
    parser.add_argument("--function", required=True, metavar="NAME", help="as in template.yaml")
    parser.add_argument("--arch", type=build.Arch, default=build.Arch.ARM64)
    parser.add_argument("--python", default=build.RUNTIME_PYTHON)
    parser.add_argument("--app", type=Path, default=build.APP, metavar="DIRECTORY")
    given = parser.parse_args(arguments)
    app = given.app.resolve()
    up_to_date(app, arch=given.arch, python=given.python)
    place(app, given.into.resolve(), leave_out=left_out_of(given.function))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
