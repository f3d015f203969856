#!/usr/bin/env bash
# test.sh [unit|machines|e2e]: runs the tests that this machine can run, and says at the end what
# it skipped and why. Without an argument it runs all of them. Any failure fails it.
set -uo pipefail
cd "$(dirname "$0")/.."
what=${1:-all}
failed=() skipped=()

# step NAME COMMAND...: runs a command and remembers whether it failed; the caller says
# whether what follows makes sense without it.
step() {
  local name=$1 began=$SECONDS; shift
  echo "=== $name"
  if "$@"; then echo "--- ok: $name ($((SECONDS - began)) s)"; return 0; fi
  failed+=("$name")
  echo "--- FAIL: $name ($((SECONDS - began)) s)"
  return 1
}

unit() {
  local examples
  if examples=$(hack/webhook-examples.sh); then export GITHUB_WEBHOOK_EXAMPLES=$examples
  else skipped+=("the webhooks that GitHub publishes: npm, which has them, is missing or cannot get them"); fi
  step "generated code, formatting, vet" hack/verify.sh
  step "unit, property and golden tests, fuzz seeds" go test ./...
  step "the local cluster's own tests" in_module hack/cluster go test ./internal/... ./cmd/cluster/...
  step "the example's own tests" in_module examples/shop go test ./...
  step "the benchmark's own tests" in_module bench go test ./...
  step "the modules of the benchmark's peers" peers
}

# smoke runs a few small cases of the benchmark: the real controller on a real control
# plane with simulated nodes. Facts are checked, times are not.
smoke() {
  if [ "$(uname -s)" != Linux ]; then skipped+=("the benchmark's smoke test: its processes need Linux"); return; fi
  step "a few cases on a control plane with simulated nodes" in_module bench go run . -short -peers tierloop -median 500ms
  local why
  why=$(why_no_machines)
  if [ -n "$why" ]; then skipped+=("the benchmark on machines: $why"); return; fi
  step "the same with services on machines" in_module bench go run . -short -parts hosts -machines 2 -peers none -median 500ms
}

# peers fails when the module of a peer does not fit what it stands on any more: the
# benchmark would leave it out.
peers() {
  local mod
  for mod in bench/peer/*/go.mod; do
    in_module "$(dirname "$mod")" go list -mod=readonly -deps . >/dev/null || return
  done
}

in_module() { (cd "$1" && shift && "$@"); }

# why_no_machines prints what is missing to boot machines; nothing when all is there.
why_no_machines() {
  [ "$(uname -s)" = Linux ] || { echo "they need Linux"; return; }
  [ "$(id -u)" = 0 ] || { echo "they need root"; return; }
  [ -d /sys/fs/cgroup/pids ] || { echo "they need cgroup v1 hierarchies"; return; }
  command -v debootstrap >/dev/null && command -v ip >/dev/null || command -v apt-get >/dev/null ||
    echo "they need the packages debootstrap and iproute2, and there is no apt-get to install them"
}

machines() {
  local why
  why=$(why_no_machines)
  if [ -n "$why" ]; then skipped+=("tests on machines: $why"); return; fi
  step "the host target on real machines" go test -count=1 -timeout 25m -tags hosts ./pkg/target/host/...
}

# beside boots a machine for the tests beside the cluster, where the demo has one already.
beside() {
  local why
  if [ "${CLUSTER:-local}" = current ]; then why="they are booted beside the local cluster only"; else why=$(why_no_machines); fi
  if [ -n "$why" ]; then skipped+=("end to end, services on machines: $why"); return; fi
  step "a machine beside the cluster" in_module hack/cluster go run ./cmd/cluster up -name "${CLUSTER_NAME:-spock}" -state "$PWD/.cluster" -machines 2
}

# simulated runs what a cluster can show whose nodes are simulated, and calls it so.
simulated() {
  if [ "$(uname -s)" != Linux ]; then skipped+=("tests on a simulated cluster: its processes need Linux"); return; fi
  step "simulated: the demo" hack/demo.sh || return
  export KUBECONFIG=$PWD/.cluster/kubeconfig
  step "simulated: the API on a real API server" go test -count=1 -tags e2e ./test/crd/...
  step "simulated: end to end" simulated_e2e
  skipped+=("on the simulated cluster, what needs a container that runs: the lines with SKIP above")
  step "simulated: the cluster goes" hack/simulated.sh down
}

# simulated_e2e runs the tests end to end and tells each as simulated.
simulated_e2e() {
  local log status
  log=$(mktemp)
  go test -count=1 -tags e2e -v -timeout 40m ./test/e2e/... >"$log" 2>&1
  status=$?
  if [ $status -ne 0 ]; then cat "$log"; fi
  sed -n 's/^ *--- /simulated: /p' "$log"
  rm -f "$log"
  return $status
}

e2e() {
  local why
  smoke
  why=$(hack/why-no-cluster.sh)
  if [ -n "$why" ]; then skipped+=("tests on a real cluster: $why"); simulated; return; fi
  step "the cluster boots" make --no-print-directory cluster || return
  step "the demo, from a commit to a tested environment" make --no-print-directory demo
  if [ "${CLUSTER:-local}" != current ]; then export KUBECONFIG=$PWD/.cluster/kubeconfig; fi
  step "the API on a real API server" go test -count=1 -tags e2e ./test/crd/...
  beside
  [ -e /usr/share/bash-completion/bash_completion ] || skipped+=("end to end, completion in a shell: bash-completion is not installed")
  step "the target on a real cluster" go test -count=1 -tags e2e ./test/target/...
  step "end to end" go test -count=1 -tags e2e -timeout 40m ./test/e2e/...
}

case $what in
  unit) unit ;;
  machines) machines ;;
  e2e) e2e ;;
  all) unit; machines; e2e ;;
  *) echo "usage: hack/test.sh [unit|machines|e2e]" >&2; exit 2 ;;
esac

echo
for s in "${skipped[@]}"; do echo "skipped: $s"; done
[ ${#skipped[@]} -gt 0 ] || echo "skipped: nothing"
for f in "${failed[@]}"; do echo "FAILED: $f"; done
[ ${#failed[@]} -eq 0 ] || exit 1
echo "all passed"
