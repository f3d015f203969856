#!/usr/bin/env bash
# simulated.sh up|down: the stand-in for the local cluster, where no node can boot.
set -euo pipefail
cd "$(dirname "$0")/.."
(cd bench && go build -o ../bin/simulated ./simulated)
exec bin/simulated "$1" -state .cluster -root .
