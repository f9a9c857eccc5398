#!/bin/sh
# Writes requirements/*.lock anew from pyproject.toml. Versions stay where they still fit;
# `UPGRADE=1` takes the newest that do. Hashes for every platform; no registry is named.
set -eu
cd "$(dirname "$0")/../.."

lock() {
    target=$1
    shift
    .venv/bin/python -m uv pip compile --quiet --universal --python-version 3.11 \
        --generate-hashes --no-header --no-annotate ${UPGRADE:+--upgrade} \
        --output-file "requirements/$target.lock" "$@" >/dev/null
}

# What is deployed is resolved first; the rest is held to its versions.
lock deployed pyproject.toml
lock local -c requirements/deployed.lock pyproject.toml --group pyproject.toml:local
lock test -c requirements/local.lock pyproject.toml --group pyproject.toml:local \
    --group pyproject.toml:test
lock template --group pyproject.toml:template
lock installer --group pyproject.toml:installer
