#!/bin/sh
# Makes .venv hold what one lock names: `python.sh local`, `test` or `template`.
# `template` gets an environment of its own, .venv-template, because aws-sam-cli pins other
# versions than those we deploy. Does nothing, in a moment, when the lock has not changed.
# PYTHON=... chooses the interpreter.
set -eu
cd "$(dirname "$0")/../.."

OLDEST_MINOR=11
lock=$1
venv=.venv
[ "$lock" = template ] && venv=.venv-template

say() { printf '%s\n' "$*" >&2; }

new_enough() {
    "$1" -c "import sys; sys.exit(sys.version_info < (3, $OLDEST_MINOR))" >/dev/null 2>&1
}

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        new_enough "$PYTHON" && { printf '%s\n' "$PYTHON"; return; }
        say "PYTHON=$PYTHON is not Python 3.$OLDEST_MINOR or newer, or can't be started."
        exit 1
    fi
    for candidate in python3 python3.14 python3.13 python3.12 python3.11; do
        new_enough "$candidate" && { printf '%s\n' "$candidate"; return; }
    done
    say "Punchcard needs Python 3.$OLDEST_MINOR or newer as python3. Install it, or name one:" \
        "make PYTHON=/path/to/python3.$OLDEST_MINOR ..."
    exit 1
}

digest() { cksum <"requirements/$1.lock" | tr ' ' '-'; }

# test.lock holds all of local.lock, so an environment for tests also serves `make run`.
if [ "$lock" = local ] && [ -e "$venv/.installed-test-$(digest test)" ]; then exit 0; fi
stamp="$venv/.installed-$lock-$(digest "$lock")"
[ -e "$stamp" ] && exit 0

if ! new_enough "$venv/bin/python"; then
    python=$(find_python)
    say "Making $venv with $("$python" --version)"
    if ! "$python" -c 'import venv, ensurepip' >/dev/null 2>&1; then
        say "$python can't make virtual environments. On Debian: apt-get install python3-venv"
        exit 1
    fi
    "$python" -m venv --clear "$venv"
fi

say "Installing requirements/$lock.lock into $venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    --require-hashes --only-binary :all: -r requirements/installer.lock
"$venv/bin/python" -m uv pip install --quiet --python "$venv/bin/python" \
    --require-hashes -r "requirements/$lock.lock"
rm -f "$venv/.installed-$lock-"*
touch "$stamp"
