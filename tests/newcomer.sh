#!/usr/bin/env bash
# The sitting of a newcomer, as the README tells it: starts the server on an empty folder and talks to it with curl alone.
#
#   tests/newcomer.sh [path of the carnet binary]
set -euo pipefail

carnet=$(realpath "${1:-target/debug/carnet}")
examples=$(realpath "$(dirname "$0")/../examples")
work=$(mktemp -d)
server=
stop() {
    if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi
    rm -rf "$work"
}
trap stop EXIT

passed=0
fail() {
    echo "FAILED: $*" >&2
    [ ! -s "$work/body" ] || head -c 600 "$work/body" >&2
    exit 1
}

# expect STATUS WHAT curl-arguments…: asks, keeps head and body, holds the status.
expect() {
    local status=$1 what=$2 got
    shift 2
    got=$(curl --silent --show-error --max-time 20 --dump-header "$work/head" --output "$work/body" --write-out '%{http_code}' "$@")
    [ "$got" = "$status" ] || fail "$what: answered $got, expected $status"
    passed=$((passed + 1))
    echo "ok $what"
}

# holds WHAT TEXT: the body has the text.
holds() {
    grep -qF -- "$2" "$work/body" || fail "$1: the body does not have $2"
    passed=$((passed + 1))
    echo "ok $1"
}

fhir='Content-Type: application/fhir+json'

cd "$work"
"$carnet" serve --listen 127.0.0.1:0 >"$work/out" 2>"$work/log" &
server=$!
for _ in $(seq 200); do
    grep -q 'listening on ' "$work/out" && break
    kill -0 "$server" 2>/dev/null || { cat "$work/log" >&2; fail "the server did not start"; }
    sleep 0.05
done
base=$(sed -n 's/.*listening on //p' "$work/out" | tail -1)
[ -n "$base" ] || fail "no line ends in 'listening on <base URL>'"
[ -f data/carnet.sqlite ] || fail "no embedded store under ./data"

expect 200 'the server says what it does' "$base/metadata"
holds 'it speaks R4' '"4.0.1"'

expect 201 'a patient with an INS is created' -X PUT "$base/Patient/camille" -H "$fhir" --data-binary "@$examples/patient.json"
expect 200 'the patient is read' "$base/Patient/camille"
expect 200 'the patient is found by identifier' "$base/Patient?_id=camille"
holds 'one match' 'Patient/camille'

expect 200 'a laboratory pushes a document' "$base" -H "$fhir" --data-binary "@$examples/lab-result-bundle.json"
holds 'three answers' '201'

expect 200 'a hospital searches the document' --get "$base/DocumentReference" --data-urlencode 'patient=Patient/camille' \
    --data-urlencode 'type=http://loinc.org|11502-2' --data-urlencode 'date=ge2026-01-01' --data-urlencode '_sort=-date'
holds 'the attachment leads to a Binary' 'Binary/'
document=$(grep -o '"fullUrl": *"[^"]*"' "$work/body" | head -1 | cut -d'"' -f4)
binary=$(grep -o '"url": *"[^"]*Binary/[^"]*"' "$work/body" | head -1 | cut -d'"' -f4)
case $binary in http*) ;; *) binary=$base/$binary ;; esac
expect 200 'the hospital reads the document' "$document"
expect 200 'the hospital downloads the report' -H 'Accept: application/pdf' "$binary"
cmp "$work/body" "$examples/lab-report.pdf" || fail 'the report is not the bytes that were pushed'
passed=$((passed + 1))
echo 'ok byte for byte what was pushed'

# create, update, old version, delete
sitting() {
    local file=$1 kind=$2 id=$3
    expect 201 "$kind: created" -X PUT "$base/$kind/$id" -H "$fhir" --data-binary "@$examples/$file"
    expect 200 "$kind: updated" -X PUT "$base/$kind/$id" -H "$fhir" --data-binary "@$examples/$file"
    expect 200 "$kind: read in its old version" "$base/$kind/$id/_history/1"
    expect 204 "$kind: deleted" -X DELETE "$base/$kind/$id"
    expect 410 "$kind: gone" "$base/$kind/$id"
}
id_of() { grep -o '"id": *"[^"]*"' "$examples/$1" | head -1 | cut -d'"' -f4; }
sitting allergy.json AllergyIntolerance "$(id_of allergy.json)"
sitting immunization.json Immunization "$(id_of immunization.json)"
sitting consent.json Consent "$(id_of consent.json)"
expect 201 'AuditEvent: created' "$base/AuditEvent" -H "$fhir" --data-binary "@$examples/audit-event.json"

kill -TERM "$server"
wait "$server" || fail 'the server did not end well when told to stop'
server=
passed=$((passed + 1))
echo 'ok the server stops when told to'
echo "$passed passed, 0 failed"
