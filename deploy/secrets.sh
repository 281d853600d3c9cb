#!/usr/bin/env bash
# Makes deploy/secrets, what compose.cluster.yml hands over in files: the database's password, its address for redpost,
# the key behind which viewers are hidden, and an empty file for the token by which Prometheus reads the metrics. What is
# there stays as it is. As root each file is its reader's alone; else whoever gets into the folder can read them.
#   secrets.sh [DIR]
set -euo pipefail
folder=${1:-$(cd "$(dirname "$0")" && pwd)/secrets}
mkdir -p -m 700 "$folder"
cd "$folder"

keep() {  # NAME OWNER, from standard input
    if [ -e "$1" ]; then
        cat >/dev/null
    else
        (umask 077 && cat > "$1.new")
        if [ "$(id -u)" = 0 ]; then chown "$2" "$1.new"; else chmod 644 "$1.new"; fi
        mv "$1.new" "$1"
    fi
}
hex() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }

hex | keep postgres_password 999           # postgres, in its image
printf 'postgresql://redpost:%s@postgres/redpost' "$(cat postgres_password)" | keep store_url 10001
hex | keep pseudonym_key 10001
: | keep metrics_token 65534               # nobody, in Prometheus' image
