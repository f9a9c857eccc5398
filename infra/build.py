"""Builds what is deployed: `python -m infra.build [--arch arm64] [--python 3.13]`.

`build/app/` gets `functions/`, `shared/` and the packages of `requirements/deployed.lock` for
Lambda's platform, and nothing else. What no function can reach is left out (AWS services that we
don't call, languages that no page speaks), and bytecode is put in, made by an interpreter of the
runtime's own version: Lambda's disk is read-only, so without it every cold start compiles
everything again. The same sources and lock give the same files, byte for byte.
"""

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from infra import aws_data, aws_handlers, late_imports, lazy_names, locale_data, typed_dicts

CHECKOUT = Path(__file__).resolve().parent.parent
APP = CHECKOUT / "build" / "app"
LOCK = CHECKOUT / "requirements" / "deployed.lock"
OURS = ("functions", "shared")

RUNTIME_PYTHON = "3.13"
"""The version of Python in the template's `Runtime`."""

KEPT_LANGUAGES = frozenset(
    {"root", "da", "de", "en", "es", "fi", "fr", "it", "nb", "nl", "no", "pl", "pt", "sv"}
)
"""The languages in which pages and messages can write dates and money, in all their countries."""

LEFT_OUT = (
    "bin",
    "dateutil/zoneinfo",
    "pydantic/mypy.py",
    "pydantic/v1",
    *(
        f"aws_lambda_powertools/{name}"
        for name in (
            "event_handler/openapi/swagger_ui",
            "utilities/auth_alpha",
            "utilities/batch",
            "utilities/circuit_breaker",
            "utilities/data_masking",
            "utilities/feature_flags",
            "utilities/idempotency",
            "utilities/kafka",
            "utilities/parameters",
            "utilities/parser",
            "utilities/streaming",
            "utilities/validation",
        )
    ),
)
"""Parts of packages that no function can reach: commands, a second copy of the zones, the former
pydantic, and what powertools offers besides routing, logs and metrics."""

LEFT_OUT_OF_STRIPE = ("params", "events", "issuing", "tax", "terminal", "test_helpers", "treasury")
"""Parts of the `stripe` package that are types alone, or describe products that we don't sell
through: two thirds of it."""

NOT_SHIPPED = frozenset({"certifi", "charset_normalizer", "idna", "requests"})
"""Packages that `stripe` asks for and, through our own HTTP client, never uses. It imports
`requests` wherever it finds it, and costs half more to load then (decision 8)."""

PASS_ON_WHEN_ASKED = ("aws_lambda_powertools",)
"""Packages that would load all of their parts to pass on the few names that we import: powertools
describes forty kinds of events, of which one reaches us."""

FOR_PROVIDERS = ("stripe",)
"""Packages that only functions need that speak to payment providers."""

MAKERS = (
    "aws_data.py",
    "aws_handlers.py",
    "build.py",
    "compiled_ahead.py",
    "late_imports.py",
    "lazy_names.py",
    "locale_data.py",
    "templates.py",
    "typed_dicts.py",
)
"""The modules that make the artefact, of `infra/`."""

INSTALLER_FILES = frozenset(
    {"RECORD", "INSTALLER", "REQUESTED", "WHEEL", "direct_url.json", "sboms"}
)
"""What an installer notes for itself, or what says for which architecture a package was made.
Names, versions and licences of packages stay."""

LAMBDA_ROOT = "/var/task"
"""Where Lambda unpacks the artefact; tracebacks name files by it."""

FIXED_TIME = 315_532_800
"""1980-01-01, the earliest that a zip can hold: the time of every file."""

INSTALL_TIMEOUT_SECONDS = 600
COMPILE_TIMEOUT_SECONDS = 300


class Arch(StrEnum):
    """Lambda's two architectures, by its own names."""

    ARM64 = "arm64"
    X86_64 = "x86_64"

    @property
    def wheel_platform(self) -> str:
        """The oldest platform whose wheels run there."""
        match self:
            case Arch.ARM64:
                return "aarch64-manylinux2014"
            case Arch.X86_64:
                return "x86_64-manylinux2014"

    @classmethod
    def of_this_machine(cls) -> "Arch":
        """What can be started here."""
        return cls.ARM64 if platform.machine() in ("arm64", "aarch64") else cls.X86_64


@dataclass(frozen=True)
class Built:
    """What came of a build. `compiler` is None when no interpreter of that version was found:
    the artefact then works, but has no bytecode and starts five to seven times slower."""

    path: Path
    size_bytes: int
    files: int
    compiler: Path | None


def build(into: Path, *, arch: Arch, python: str, checkout: Path = CHECKOUT) -> Built:
    """Put the artefact at `into`, replacing what is there only once it is complete.
    `checkout` is where our own code is taken from.

    Raises `subprocess.CalledProcessError` when packages can't be had or something does not
    compile; `into` is then as it was.
    """
    into.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".building-", dir=into.parent) as scratch:
        making = Path(scratch) / "app"
        install(making, LOCK, arch=arch, python=python)
        prune(making)
        for name in OURS:
            shutil.copytree(checkout / name, making / name, ignore=_not_ours)
        _compile_templates(making)
        compiler = find_interpreter(python)
        if compiler is not None:
            _compile_ahead(making, compiler, arch=arch, python=python)
            compile_all(making, compiler)
        files = list(_normalised(making))
        if into.exists():
            shutil.rmtree(into)
        making.rename(into)
    return Built(
        path=into,
        size_bytes=sum((into / file).stat().st_size for file in files),
        files=len(files),
        compiler=compiler,
    )


def install(target: Path, lock: Path, *, arch: Arch, python: str) -> None:
    """Put the packages of `lock` at `target`, for that platform and version of Python."""
    # Copies, because uv's default shares the files with its cache, and we change them.
    subprocess.run(
        [
            *(sys.executable, "-m", "uv", "pip", "install", "--quiet", "--link-mode", "copy"),
            *("--target", target, "--python", sys.executable),
            *("--python-platform", arch.wheel_platform, "--python-version", python),
            *("--only-binary", ":all:", "--require-hashes", "-r", lock),
        ],
        check=True,
        cwd=CHECKOUT,
        timeout=INSTALL_TIMEOUT_SECONDS,
    )


def prune(target: Path) -> None:
    """Take out of installed packages what no function can reach."""
    for path in list(_unreachable(target)):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    called = aws_data.reduce(target / "botocore" / "data")
    aws_handlers.reduce(target / "botocore" / "handlers.py", called)
    locale_data.reduce(target / "babel")
    for name in PASS_ON_WHEN_ASKED:
        lazy_names.make_lazy(target / name)
    late_imports.make_late(target)
    late_imports.write_versions(target)
    typed_dicts.strip_all(target)


def _unreachable(target: Path) -> Iterator[Path]:
    yield from (target / name for name in LEFT_OUT)
    yield from (target / "stripe" / name for name in LEFT_OUT_OF_STRIPE)
    for name in NOT_SHIPPED:
        yield from (target / name, *target.glob(f"{name}-*.dist-info"))
    for locale in (target / "babel" / "locale-data").glob("*.dat"):
        if locale.stem.split("_")[0] not in KEPT_LANGUAGES:
            yield locale
    for info in target.glob("*.dist-info"):
        yield from (info / name for name in INSTALLER_FILES)
    yield from target.rglob("*.pyi")
    yield from target.rglob("__pycache__")
    yield from target.glob(".*")


def _not_ours(_directory: str, names: list[str]) -> list[str]:
    return [name for name in names if name == "__pycache__" or name.startswith(".")]


def find_interpreter(version: str) -> Path | None:
    """An interpreter of `version` ("3.13") on this machine that starts, or None."""
    name = f"python{version}"
    candidates = [Path(sys.executable)]
    if (on_path := shutil.which(name)) is not None:
        candidates.append(Path(on_path))
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates += sorted(pyenv.glob(f"{version}*/bin/{name}"), reverse=True)
    return next((found for found in candidates if _is_version(found, version)), None)


def _is_version(interpreter: Path, version: str) -> bool:
    # Asked, not read off its name: a version manager's stand-in may refuse to start.
    question = "import sys; print(sys.implementation.name, *sys.version_info[:2])"
    answer = subprocess.run(
        [interpreter, "-I", "-S", "-c", question], capture_output=True, text=True, check=False
    )
    return answer.stdout.split() == ["cpython", *version.split(".")]


def _compile_templates(target: Path) -> None:
    # In a process of its own for the fixed seed, and with our own packages: those at `target` may
    # be another architecture's.
    subprocess.run(
        [sys.executable, "-m", "infra.templates", target],
        check=True,
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONHASHSEED": "0"},
        timeout=COMPILE_TIMEOUT_SECONDS,
    )


def _compile_ahead(target: Path, compiler: Path, *, arch: Arch, python: str) -> None:
    # The functions are imported for it, which takes a process of its own, and extensions that this
    # machine can load.
    with tempfile.TemporaryDirectory() as scratch:
        here = Arch.of_this_machine()
        loadable = Path(scratch) / "loadable"
        if arch is not here:
            packages = Path(scratch) / "packages"
            install(packages, LOCK, arch=here, python=python)
            _with_extensions(target, packages, loadable)
        script = CHECKOUT / "infra" / "compiled_ahead.py"
        subprocess.run(
            [
                *(compiler, "-s", "-S", "-P", "-B", "-X", "no_debug_ranges"),
                *(script, target, loadable),
            ],
            check=True,
            env={"PYTHONHASHSEED": "0"},
            timeout=COMPILE_TIMEOUT_SECONDS,
        )


def _with_extensions(target: Path, packages: Path, into: Path) -> None:
    """Those packages of `target` that have extensions, with the extensions that `packages` has."""
    for extension in packages.rglob("*.so"):
        place = extension.relative_to(packages)
        package = place.parts[0]
        if not (target / package).exists():
            continue
        if not (into / package).exists():
            shutil.copytree(target / package, into / package)
        shutil.copy(extension, into / place)


def compile_all(target: Path, compiler: Path) -> None:
    """Put bytecode beside every module below `target`, as the interpreter `compiler` makes it."""
    # "unchecked-hash": never compared with the source, whose time stamp a zip does not keep. A
    # fixed seed, because the order inside a set constant follows it. Without the columns of each
    # instruction, which only underline a part of a traceback's line, it is a sixth smaller.
    subprocess.run(
        [
            *(compiler, "-s", "-S", "-W", "ignore", "-X", "no_debug_ranges"),
            *("-m", "compileall", "-q", "-f"),
            *("-s", str(target), "-p", LAMBDA_ROOT),
            *("--invalidation-mode", "unchecked-hash", str(target)),
        ],
        check=True,
        env={"PYTHONHASHSEED": "0"},
        timeout=COMPILE_TIMEOUT_SECONDS,
    )


def _normalised(target: Path) -> Iterator[Path]:
    """Give every file and directory the same time and mode; the files, relative and in order."""
    for path in sorted(target.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
        os.utime(path, (FIXED_TIME, FIXED_TIME))
        if path.is_file():
            yield path.relative_to(target)


def main() -> None:
    """The command: build for the template's runtime unless told otherwise, and say the size."""
    parser = argparse.ArgumentParser(prog="python -m infra.build", description=__doc__)
    parser.add_argument("--arch", type=Arch, choices=list(Arch), default=Arch.ARM64)
    parser.add_argument("--python", default=RUNTIME_PYTHON, metavar="3.13")
    parser.add_argument("--into", type=Path, default=APP, metavar="DIRECTORY")
    asked = parser.parse_args()
    built = build(asked.into.resolve(), arch=asked.arch, python=asked.python)
    print(
        f"{built.path}: {built.size_bytes / 1_000_000:.1f} MB in {built.files} files,"
        f" Python {asked.python} on {asked.arch}"
    )
    if built.compiler is None:
        print(
            f"No bytecode: there is no Python {asked.python} here to make it."
            " Cold starts will be five to seven times slower."
        )


if __name__ == "__main__":
    main()
