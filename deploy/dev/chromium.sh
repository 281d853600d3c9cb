#!/usr/bin/env bash
# Chromium for the browser tests, from the system's packages, if it is not there yet. As root, or by sudo.
set -euo pipefail

for name in chromium chromium-browser google-chrome; do
    if command -v "$name" >/dev/null; then
        exit 0
    fi
done
as_root=()
if [ "$(id -u)" != 0 ]; then
    as_root=(sudo -n)
fi
"${as_root[@]}" apt-get update -q
DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -qy --no-install-recommends chromium
