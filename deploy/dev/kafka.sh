#!/usr/bin/env bash
# A real Apache Kafka (KRaft) for development and tests, on loopback: one node, or three on this machine.
#   kafka.sh start  [--data DIR] [--port N] [--nodes 1|3]   ready when it returns; prints the bootstrap addresses
#                   [--through]                             another listener on port N + 2, which tells clients N + 3
#   kafka.sh stop   [--data DIR] [--now] [--node K]         all nodes at once, or one; --now kills (kill -9)
#   kafka.sh status [--data DIR]
#   kafka.sh install                                        only fetch what is needed
# Node k listens on port N + 10 (k - 1), its controller on the port after it. `start` starts what is not running.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
jars=${REDPOST_KAFKA_JARS:-${XDG_CACHE_HOME:-$HOME/.cache}/redpost/kafka-$(md5sum "$here/kafka/pom.xml" | cut -c1-8)}
data=data/kafka port=19092 nodes=1 now= node= through=

command=${1:-}
shift || true
while [ $# -gt 0 ]; do
    case $1 in
        --data) data=$2; shift 2 ;;
        --port) port=$2; shift 2 ;;
        --nodes) nodes=$2; shift 2 ;;
        --node) node=$2; shift 2 ;;
        --now) now=1; shift ;;
        --through) through=1; shift ;;
        *) echo "kafka.sh: $1 is not known; see the head of $0" >&2; exit 2 ;;
    esac
done

data=$(realpath -m "$data")  # as the nodes' command lines have it

say() { echo "kafka.sh: $*" >&2; }
port_of() { echo $((port + 10 * ($1 - 1))); }
running() {  # node; its number may be another program's by now
    [ -f "$data/$1.pid" ] && grep -qzxF "$data/$1.properties" "/proc/$(cat "$data/$1.pid")/cmdline" 2>/dev/null
}
java_() {
    exec java -Xms64m -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Djava.awt.headless=true \
        -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -Dorg.slf4j.simpleLogger.showDateTime=true -cp "$jars/*" "$@"
}

install() {
    local wanted=()
    command -v java >/dev/null || wanted+=(default-jre-headless)
    [ -d "$jars" ] || command -v mvn >/dev/null || wanted+=(maven)
    if [ ${#wanted[@]} -gt 0 ]; then
        local root=()
        [ "$(id -u)" = 0 ] || root=(sudo -n)
        "${root[@]}" apt-get update -q >&2
        DEBIAN_FRONTEND=noninteractive "${root[@]}" apt-get install -qy --no-install-recommends "${wanted[@]}" >&2
    fi
    if [ ! -d "$jars" ]; then
        local part
        mkdir -p "$(dirname "$jars")"
        part=$(mktemp -d "$jars.XXXXXX")
        mvn -q -B -f "$here/kafka/pom.xml" org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
            -DincludeScope=runtime -DoutputDirectory="$part" >&2
        mv -T "$part" "$jars" 2>/dev/null || rm -rf "$part"  # another one was quicker
    fi
}

configure() {  # node
    local k=$1 own voters="" i more="" told="" map="" copies=$((nodes == 3 ? 3 : 1)) in_step=$((nodes == 3 ? 2 : 1))
    own=$(port_of "$k")
    for i in $(seq "$nodes"); do
        voters+="${voters:+,}$i@127.0.0.1:$(($(port_of "$i") + 1))"
    done
    if [ -n "$through" ]; then
        more=",THROUGH://127.0.0.1:$((own + 2))" told=",THROUGH://127.0.0.1:$((own + 3))" map=",THROUGH:PLAINTEXT"
    fi
    cat > "$data/$k.properties" <<EOF
process.roles=broker,controller
node.id=$k
controller.quorum.voters=$voters
listeners=PLAINTEXT://127.0.0.1:$own,CONTROLLER://127.0.0.1:$((own + 1))$more
advertised.listeners=PLAINTEXT://127.0.0.1:$own$told
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT$map
log.dirs=$data/log-$k
auto.create.topics.enable=false
offsets.topic.num.partitions=4
offsets.topic.replication.factor=$copies
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=$copies
transaction.state.log.min.isr=$in_step
share.coordinator.state.topic.replication.factor=$copies
share.coordinator.state.topic.min.isr=$in_step
min.insync.replicas=$in_step
default.replication.factor=$copies
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=4194304
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
EOF
}

ready() {  # port: does a broker answer there?
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

start() {
    install
    mkdir -p "$data"
    if [ -f "$data/cluster" ]; then
        read -r id port nodes < "$data/cluster"
    else
        id=$(head -c 16 /dev/urandom | base64 | tr '+/' 'AB' | cut -c1-22)
        echo "$id $port $nodes" > "$data/cluster"
    fi
    local k begun=() bootstrap=""
    for k in $(seq "$nodes"); do
        bootstrap+="${bootstrap:+,}127.0.0.1:$(port_of "$k")"
        if [ -n "$node" ] && [ "$node" != "$k" ] || running "$k"; then
            continue
        fi
        configure "$k"
        (java_ kafka.tools.StorageTool format -t "$id" -c "$data/$k.properties" -g) >"$data/$k.format" 2>&1 || {
            say "node $k cannot format its folder:"; tail -5 "$data/$k.format" >&2; exit 1; }
        (java_ kafka.Kafka "$data/$k.properties") >>"$data/$k.log" 2>&1 </dev/null &
        echo $! > "$data/$k.pid"
        begun+=("$k")
    done
    for k in ${begun[@]+"${begun[@]}"}; do
        local tries=0
        until ready "$(port_of "$k")"; do
            tries=$((tries + 1))
            if ! kill -0 "$(cat "$data/$k.pid")" 2>/dev/null || [ $tries -gt 600 ]; then  # it may not be java yet
                say "node $k did not start; the end of $data/$k.log:"
                tail -5 "$data/$k.log" >&2
                exit 1
            fi
            sleep 0.1
        done
    done
    echo "$bootstrap"
}

stop() {
    local asked=() file k tries=0
    for file in "$data"/${node:-*}.pid; do
        [ -f "$file" ] || continue
        k=$(basename "$file" .pid)
        if running "$k"; then
            kill "-$([ -n "$now" ] && echo KILL || echo TERM)" "$(cat "$file")" 2>/dev/null || true
            asked+=("$k")
        else
            rm -f "$file"
        fi
    done
    for k in ${asked[@]+"${asked[@]}"}; do
        while running "$k"; do
            tries=$((tries + 1))
            [ $tries -lt 100 ] || kill -KILL "$(cat "$data/$k.pid")" 2>/dev/null || true
            sleep 0.1
        done
        rm -f "$data/$k.pid"
    done
}

case $command in
    install) install ;;
    start) start ;;
    stop) stop ;;
    status)
        [ -f "$data/cluster" ] || { echo "no cluster in $data"; exit 1; }
        read -r _ port nodes < "$data/cluster"
        for k in $(seq "$nodes"); do
            running "$k" && echo "node $k runs on port $(port_of "$k"), pid $(cat "$data/$k.pid")" || echo "node $k is down"
        done ;;
    *) sed -n '2,9p' "$0" | sed 's/^# \{0,1\}//' >&2; exit 2 ;;
esac
