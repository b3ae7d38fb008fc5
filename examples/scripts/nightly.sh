#!/usr/bin/env bash
# Packs the logs of each service and removes what is too old. Plain bash; `--fail N` makes it end with N half-way.
#   kubescribe exec -- examples/scripts/nightly.sh
set -euo pipefail

fail=0
if [[ ${1:-} == --fail ]]; then
  fail=${2:?--fail needs an exit code}
fi

tell() { # one line of JSON for whoever listens; nobody has to
  if [[ -n ${KUBESCRIBE_EVENTS:-} ]]; then
    printf '%s\n' "$1" >>"$KUBESCRIBE_EVENTS"
  fi
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

services=(web mail billing search)
packed=0 bytes=0
for service in "${services[@]}"; do
  seq 1 2000 | sed "s/^/$service: request /" >"$work/$service.log"
  gzip -9 "$work/$service.log"
  size=$(wc -c <"$work/$service.log.gz")
  bytes=$((bytes + size))
  packed=$((packed + 1))
  echo "packed $service.log ($size bytes)"
  tell "{\"type\":\"progress\",\"fraction\":0.$((packed * 100 / (${#services[@]} + 1))),\"text\":\"$service is packed\"}"
  if ((fail && packed == 2)); then
    echo "no space left for $service" >&2
    exit "$fail"
  fi
done

tell "{\"type\":\"metric\",\"name\":\"bytes\",\"value\":$bytes}"
tell "{\"type\":\"note\",\"text\":\"packed ${#services[@]} logs\"}"
echo "done: $bytes bytes"
