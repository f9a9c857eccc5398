"""`sam build` puts the one artefact in place for every function."""

import re
import subprocess
from pathlib import Path

import yaml

from infra import build
from infra.local import template
from infra.sam import place


def functions() -> dict[str, dict[str, object]]:
    document = yaml.load(template.TEMPLATE.read_text(), Loader=template._Loader)  # noqa: S506 - a SafeLoader
    return {
        name: resource
        for name, resource in document["Resources"].items()
        if resource["Type"] == "AWS::Serverless::Function"
    }


def small_app(at: Path) -> Path:
    (at / "functions" / "__pycache__").mkdir(parents=True)
    (at / "functions" / "shop.py").write_text("handler = None\n")
    (at / "functions" / "__pycache__" / "shop.cpython-313.pyc").write_bytes(b"\x00")
    (at / "core.so").write_bytes(b"\x7fELF")
    return at


def test_every_function_is_built_by_our_makefile_because_sam_drops_bytecode_and_extensions() -> (
    None
):
    found = functions()
    assert len(found) > 15
    for name, resource in found.items():
        assert resource.get("Metadata") == {"BuildMethod": "makefile"}, name
        assert "CodeUri" not in resource["Properties"], name  # type: ignore[operator]


def test_the_makefile_finds_the_checkout_from_wherever_sam_starts_it(tmp_path: Path) -> None:
    # As SAM does: in a copy of the directory, with the target's name and where it wants it.
    said = subprocess.run(
        [
            *("make", "--dry-run", "--makefile", build.CHECKOUT / "infra" / "sam" / "Makefile"),
            "build-ShopFunction",
        ],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "ARTIFACTS_DIR": str(tmp_path / "ShopFunction")},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert f'-m infra.sam.place "{tmp_path / "ShopFunction"}" --function "ShopFunction"' in said
    assert re.search(rf"--arch {build.Arch.ARM64} --python {build.RUNTIME_PYTHON}\b", said)


def test_a_function_gets_every_file_without_a_second_copy(tmp_path: Path) -> None:
    app = small_app(tmp_path / "app")
    into = tmp_path / "ShopFunction"
    into.mkdir()
    (into / "left-over.py").write_text("old\n")
    place.place(app, into)
    files = sorted(path.relative_to(into).as_posix() for path in into.rglob("*") if path.is_file())
    assert files == ["core.so", "functions/__pycache__/shop.cpython-313.pyc", "functions/shop.py"]
    assert (into / "core.so").samefile(app / "core.so")


def test_stripe_s_package_goes_to_those_who_speak_to_providers(tmp_path: Path) -> None:
    app = small_app(tmp_path / "app")
    for name in ("stripe", "stripe-16.1.0.dist-info", "shared/providers/stripe"):
        (app / name).mkdir(parents=True)
        (app / name / "__init__.py").write_text("")
    place.place(app, tmp_path / "into", leave_out=place.left_out_of("ShopFunction"))
    assert sorted(path.name for path in (tmp_path / "into").iterdir()) == [
        "core.so",
        "functions",
        "shared",
    ]
    assert (tmp_path / "into" / "shared" / "providers" / "stripe").is_dir()
    reads_secrets = {
        name for name, resource in functions().items() if "ssm:GetParameter" in str(resource)
    }
    assert {"CheckoutFunction", "RenewalsFunction", "ReceiveFunction"} <= reads_secrets
    for name in functions():
        expected = () if name in reads_secrets else build.FOR_PROVIDERS
        assert place.left_out_of(name) == expected, name


def test_the_artefact_is_built_again_when_anything_that_it_is_made_of_changes(
    tmp_path: Path,
) -> None:
    made_of = ("infra/build.py", "requirements/deployed.lock", "functions/a.py", "shared/b.html")
    for path in (*(f"infra/{name}" for name in build.MAKERS), *made_of):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text("first\n")
    (tmp_path / "functions" / "__pycache__").mkdir()

    def digest() -> str:
        return place.made_of(tmp_path, arch=build.Arch.ARM64, python="3.13")

    seen = {digest()}
    (tmp_path / "functions" / "__pycache__" / "a.cpython-313.pyc").write_bytes(b"made here")
    assert digest() in seen, "what tests leave behind changes nothing"
    for path in made_of:
        (tmp_path / path).write_text("second\n")
        seen.add(digest())
    (tmp_path / "shared" / "new.py").write_text("")
    seen.add(digest())
    seen.add(place.made_of(tmp_path, arch=build.Arch.X86_64, python="3.13"))
    assert len(seen) == 7
