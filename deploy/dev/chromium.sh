#!/usr/bin/env bash
# Chromium and Chinese letters for the browser tests, from the system's packages, if they are not there yet. As root, or
# by sudo.
set -euo pipefail

for name in chromium chromium-browser google-chrome; do
    if command -v "$name" >/dev/null && fc-list :lang=zh 2>/dev/null | grep -q .; then
        exit 0
    fi
done
as_root=()
if [ "$(id -u)" != 0 ]; then
    as_root=(sudo -n)
fi
"${as_root[@]}" apt-get update -q
DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -qy --no-install-recommends chromium fontconfig fonts-noto-cjk
