#!/usr/bin/env bash
# A real PostgreSQL for development and tests, on loopback, with a cluster of its own.
#   postgres.sh start  [--data DIR] [--port N]   ready when it returns; prints the URL of a superuser's database
#   postgres.sh stop   [--data DIR] [--now]      --now kills it (kill -9), as a power cut would
#   postgres.sh status [--data DIR]
#   postgres.sh install                          only install what is needed
# fsync stays on. Whoever reaches the port is the superuser: for tests on loopback, nothing else.
set -euo pipefail
data=data/postgres port=15432 now=

command=${1:-}
shift || true
while [ $# -gt 0 ]; do
    case $1 in
        --data) data=$2; shift 2 ;;
        --port) port=$2; shift 2 ;;
        --now) now=1; shift ;;
        *) echo "postgres.sh: $1 is not known; see the head of $0" >&2; exit 2 ;;
    esac
done

programs() { ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1; }
as_owner() {  # PostgreSQL does not run as root
    if [ "$(id -u)" = 0 ]; then
        (cd / && setpriv --reuid postgres --regid postgres --init-groups "$@")
    else
        "$@"
    fi
}
ours() { [ "/proc/$1/cwd" -ef "$data/cluster" ]; }  # a number may be another program's by now, or another cluster's
running() { [ -f "$data/cluster/postmaster.pid" ] && ours "$(head -1 "$data/cluster/postmaster.pid")"; }

install() {
    [ -z "$(programs)" ] || return 0
    local root=()
    [ "$(id -u)" = 0 ] || root=(sudo -n)
    "${root[@]}" apt-get update -q >&2
    # the package would else start a cluster of the system's
    "${root[@]}" mkdir -p /etc/postgresql-common
    echo "create_main_cluster = false" | "${root[@]}" tee /etc/postgresql-common/createcluster.conf >/dev/null
    DEBIAN_FRONTEND=noninteractive "${root[@]}" apt-get install -qy --no-install-recommends postgresql >&2
}

start() {
    install
    local bin
    bin=$(programs)
    mkdir -p "$data"
    data=$(cd "$data" && pwd)
    if [ ! -f "$data/cluster/PG_VERSION" ]; then
        rm -rf "$data/cluster"
        mkdir -p "$data/cluster"
        if [ "$(id -u)" = 0 ]; then chown postgres: "$data/cluster"; fi
        as_owner test -x "$data/cluster" || {
            echo "postgres.sh: the user postgres does not get into $data; name another --data" >&2; exit 1; }
        as_owner "$bin/initdb" --pgdata "$data/cluster" --username postgres --auth trust --encoding UTF8 \
            --locale C.UTF-8 --no-instructions > "$data/initdb.log" 2>&1 || { tail -5 "$data/initdb.log" >&2; exit 1; }
    fi
    if ! running; then
        rm -f "$data/cluster/postmaster.pid"  # of a server that was killed
        : > "$data/postgres.log"
        if [ "$(id -u)" = 0 ]; then chown postgres: "$data/postgres.log"; fi
        as_owner "$bin/pg_ctl" start --silent --wait --pgdata "$data/cluster" --log "$data/postgres.log" --options \
            "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=100" >&2 || {
            echo "postgres.sh: it did not start; the end of $data/postgres.log:" >&2; tail -5 "$data/postgres.log" >&2; exit 1; }
    fi
    echo "postgresql://postgres@127.0.0.1:$(sed -n 4p "$data/cluster/postmaster.pid")/postgres"
}

stop() {
    running || return 0
    local pid
    pid=$(head -1 "$data/cluster/postmaster.pid")
    if [ -n "$now" ]; then
        local children
        children=$(pgrep -P "$pid" || true)
        kill -KILL "$pid" 2>/dev/null || true
        [ -z "$children" ] || kill -KILL $children 2>/dev/null || true
    else
        kill -INT "$pid"
    fi
    local tries=0
    while [ -e "/proc/$pid" ]; do  # also while nobody has taken note of its end: PostgreSQL looks at the number
        tries=$((tries + 1))
        [ $tries -lt 100 ] || kill -KILL "$pid" 2>/dev/null || true
        sleep 0.1
    done
}

case $command in
    install) install ;;
    start) start ;;
    stop) stop ;;
    status) running && echo "runs, pid $(head -1 "$data/cluster/postmaster.pid")" || { echo "is down"; exit 1; } ;;
    *) sed -n '2,7p' "$0" | sed 's/^# \{0,1\}//' >&2; exit 2 ;;
esac
