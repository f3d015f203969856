#!/usr/bin/env bash
# demo.sh runs the demo: on a real cluster, or where none can run, says what is missing and
# runs the simulated one.
set -euo pipefail
cd "$(dirname "$0")/.."
why=$(hack/why-no-cluster.sh)
if [ -z "$why" ]; then
  make --no-print-directory cluster build
  exec bin/demo
fi
echo "No real cluster can run here: $why."
echo "What follows is simulated: API server, Tekton and Spock run as plain processes of $(id -un), and a fake kubelet says how each pod fares."
hack/simulated.sh up
go build -o bin/ ./cmd/spock ./hack/demo
exec bin/demo
