#!/bin/sh
# Makes node_modules hold what package-lock.json names. Does nothing when it has not changed.
set -eu
cd "$(dirname "$0")/../.."

# Older ones (Debian 12 and 13 have 9.2) can't read the overrides in package.json.
OLDEST_NPM=10
NPM_INSTEAD=10.9.2

stamp="node_modules/.installed-$(cat package.json package-lock.json | cksum | tr ' ' '-')"
[ -e "$stamp" ] && exit 0

printf '%s\n' "Installing package-lock.json into node_modules" >&2
rm -rf node_modules
if [ "$(npm --version | cut -d. -f1)" -ge "$OLDEST_NPM" ]; then
    npm ci --ignore-scripts --silent
else
    npm exec --yes --silent -- "npm@$NPM_INSTEAD" ci --ignore-scripts --silent
fi
touch "$stamp"
