"""Stylesheets, scripts, images and fonts: one folder, kept by browsers for a year.

The address holds a hash of the content (`style.3f2a91c04b7d.css`), so a changed file has a new one.
Only files that lie in the folder are served.
"""

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from shared.domain.errors import Missing
from shared.web.answer import Raw

FOLDER = Path(__file__).resolve().parent / "pages" / "assets"
HASH_LETTERS = 12
ONE_YEAR_SECONDS = 31_536_000

TYPES: Mapping[str, str] = {
    ".css": "text/css; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
COMPRESSED = {".css", ".js", ".svg"}


class Asset(NamedTuple):
    path: Path
    digest: str

    @property
    def file(self) -> str:
        return f"{self.path.stem}.{self.digest}{self.path.suffix}"


@cache
def _assets() -> dict[str, Asset]:
    """By plain name. Read once per process."""
    if not FOLDER.is_dir():
        return {}
    return {
        path.name: Asset(path, hashlib.sha256(path.read_bytes()).hexdigest()[:HASH_LETTERS])
        for path in sorted(FOLDER.iterdir())
        if path.suffix in TYPES
    }


def url(name: str) -> str:
    """Where `name` is served: `{{ "style.css" | asset }}`, which becomes part of a template
    when that is compiled. `KeyError` when there is no such file."""
    return f"/assets/{_assets()[name].file}"


def asset(file: str, if_none_match: str | None = None) -> Raw:
    """The answer to `GET /assets/{file}`. Raises `Missing` for any other name."""
    found = next((one for one in _assets().values() if one.file == file), None)
    if found is None:
        raise Missing("There is no such file.")
    etag = f'"{found.digest}"'
    headers = {
        "Cache-Control": f"public, max-age={ONE_YEAR_SECONDS}, immutable",
        "ETag": etag,
        "Vary": "Accept-Encoding",
    }
    suffix = found.path.suffix
    if if_none_match is not None and etag in if_none_match:
        return Raw(b"", TYPES[suffix], status=304, headers=headers)
    return Raw(
        found.path.read_bytes(), TYPES[suffix], headers=headers, compress=suffix in COMPRESSED
    )
