#!/usr/bin/env bash
# verify.sh: fails when a Go file is not formatted, when go vet finds something, or when
# generated code is not what hack/update-codegen.sh makes of the API types. It changes
# nothing: the code is generated in a copy of the work tree, and compared.
set -uo pipefail
cd "$(dirname "$0")/.."
failed=0
fail() { echo "verify: $*" >&2; failed=1; }

# files PATHSPEC...: what git knows or would take, and is there, each ended by a zero.
files() {
  git ls-files -z -co --exclude-standard -- "$@" |
    while IFS= read -r -d '' f; do [ ! -e "$f" ] || printf '%s\0' "$f"; done
}

unformatted=$(files '*.go' ':!:*testdata/*' | xargs -0r gofmt -l 2>&1)
[ -z "$unformatted" ] || fail "not formatted; run gofmt -w on:"$'\n'"$unformatted"

go vet ./... || fail "go vet found what is above"
go vet -tags e2e ./test/... || fail "go vet found what is above in the tests on a cluster"

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
files go.mod go.sum cmd pkg config hack ':!:hack/cluster' ':!:hack/demo' | tar -c --null -T - | tar -x -C "$copy"
rm -rf "$copy/pkg/client" "$copy/config/300-crds" # so that what is no longer made is found
if ! log=$("$copy/hack/update-codegen.sh" 2>&1); then
  fail "hack/update-codegen.sh failed:"$'\n'"$log"
else
  for made in pkg/client config/300-crds pkg/apis; do
    diff -ruN "$made" "$copy/$made" || fail "$made is out of date (- as it is, + as it should be); run make generate"
  done
fi
exit $failed
