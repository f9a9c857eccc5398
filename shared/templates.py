"""Where templates come from: as the build has compiled them, else from their texts.

Reading and compiling a page's templates takes longer than all else that its first request does, so
what is deployed has each of them as a Python module, made beforehand (decision 11).
"""

from collections.abc import Sequence
from pathlib import Path

from jinja2 import BaseLoader, FileSystemLoader, ModuleLoader

COMPILED = "compiled"
"""The folder beside a folder's templates that the build puts their modules into."""


def loader(folders: Sequence[Path], kind: str = "") -> BaseLoader:
    """Loads templates of `folders`, the first that has one. `kind` tells modules apart where the
    same texts are compiled in several ways."""
    compiled = [folder / COMPILED / kind for folder in folders]
    if all(folder.is_dir() for folder in compiled):
        return ModuleLoader(compiled)
    return FileSystemLoader(folders)
