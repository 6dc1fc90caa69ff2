#!/usr/bin/env bash
# The sitting of a newcomer: starts the server on an empty folder, runs the curl commands of the README as they stand there, and
# then goes through the life of the other examples.
#
#   tests/newcomer.sh [path of the carnet binary]
set -euo pipefail

carnet=$(realpath "${1:-target/debug/carnet}")
repository=$(realpath "$(dirname "$0")/..")
examples=$repository/examples
work=$(mktemp -d)
server=
stop() {
    if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi
    rm -rf "$work"
}
trap stop EXIT

passed=0
pass() {
    passed=$((passed + 1))
    echo "ok $1"
}
fail() {
    echo "FAILED: $*" >&2
    [ ! -s "$work/body" ] || head -c 600 "$work/body" >&2
    exit 1
}

# expect STATUS WHAT curl-arguments…: asks, keeps the body, holds the status.
expect() {
    local status=$1 what=$2 got
    shift 2
    got=$(curl --silent --show-error --max-time 300 --output "$work/body" --write-out '%{http_code}' "$@")
    [ "$got" = "$status" ] || fail "$what: answered $got, expected $status"
    pass "$what"
}

# The server is on this machine and has its own defaults, whatever proxy and settings whoever runs this may have.
export no_proxy=127.0.0.1 NO_PROXY=127.0.0.1
for setting in ${!CARNET_@}; do unset "$setting"; done

cd "$work"
"$carnet" --listen 127.0.0.1:0 >"$work/out" 2>"$work/log" &
server=$!
for _ in $(seq 6000); do
    grep -q 'listening on ' "$work/out" && break
    kill -0 "$server" 2>/dev/null || { cat "$work/log" >&2; fail "the server did not start"; }
    sleep 0.05
done
base=$(sed -n 's/.*listening on //p' "$work/out" | tail -1)
[ -n "$base" ] || fail "no line ends in 'listening on <base URL>'"
[ -f data/carnet.sqlite ] || fail "no embedded store under ./data"
pass 'the server starts on an empty folder and says where it listens'

# The blocks of the README that use curl, with the base URL of this server; each curl adds its status to a list.
ln -s "$examples" examples
{
    echo "curl() { command curl --silent --show-error --max-time 300 --write-out '%{stderr}%{http_code}\n' \"\$@\" 2>>\"$work/statuses\"; }"
    awk '/^```/ { if (inside && block ~ /curl /) printf "%s", block; inside = ($0 == "```sh"); block = ""; next } inside { block = block $0 "\n" }' \
        "$repository/README.md" | sed "s|^B=.*|B=$base|"
} >sitting.sh
grep -q "^B=$base$" sitting.sh || fail 'the README does not set B'
bash -euo pipefail sitting.sh >said || { cat said statuses >&2; fail 'the commands of the README do not run through'; }
grep -q 'identical$' said || fail 'the report that was downloaded is not the one that was pushed'
pass 'the report of the README comes back byte for byte'
asked=$(grep -c . statuses)
[ "$asked" -ge 10 ] || fail "only $asked requests in the README"
refused=$(grep -v '^2' statuses || true)
[ "$refused" = 410 ] || { cat said >&2; fail "the README's requests answered $(tr '\n' ' ' <statuses)"; }
pass "the $asked requests of the README answer 2xx, and 410 for what was deleted"

# Created, updated, read in its old version, deleted.
life() {
    local file=$1 kind=$2 id
    id=$(grep -o '"id": *"[^"]*"' "$examples/$file" | head -1 | cut -d'"' -f4)
    local place=$base/$kind/$id json='Content-Type: application/fhir+json'
    curl --silent --output "$work/body" -X DELETE "$place"
    expect 201 "$kind: created" -X PUT "$place" -H "$json" --data-binary "@$examples/$file"
    expect 200 "$kind: updated" -X PUT "$place" -H "$json" --data-binary "@$examples/$file"
    expect 200 "$kind: read in its old version" "$place/_history/1"
    expect 204 "$kind: deleted" -X DELETE "$place"
    expect 410 "$kind: gone" "$place"
}
life patient.json Patient
life immunization.json Immunization
life consent.json Consent

kill -TERM "$server"
wait "$server" || fail 'the server did not end well when told to stop'
server=
pass 'the server stops when told to'
echo "$passed passed, 0 failed"
