#!/bin/sh
# Installs from Debian what the tests need and this machine lacks: Java for DynamoDB Local,
# Chromium for the pages, npm to fetch the jar and the accessibility rules.
set -eu

missing=
need() { command -v "$1" >/dev/null 2>&1 || missing="$missing $2"; }
need java default-jre-headless
need chromium "chromium chromium-sandbox fonts-liberation"
need npm npm
[ -z "$missing" ] && exit 0

say() { printf '%s\n' "$*" >&2; }
if ! command -v apt-get >/dev/null 2>&1; then
    say "The tests need these Debian packages, or what they stand for:$missing"
    exit 1
fi
as_root=env
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null 2>&1; then
        say "The tests need these packages. As root: apt-get install$missing"
        exit 1
    fi
    as_root="sudo env"
fi
say "Installing:$missing"
# One word per package is meant here. sudo keeps no environment, so it is named.
# shellcheck disable=SC2086
$as_root apt-get update -qq
# shellcheck disable=SC2086
$as_root DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
