#!/usr/bin/env bash
# tools.sh [NAME...]: builds the pinned tools of hack/tools into bin/tools; all of them
# when none is named. Binaries are kept in the user's cache folder by the digest of
# go.mod and go.sum, since linking one again reads a gigabyte.
set -euo pipefail
cd "$(dirname "$0")/tools"
declare -A package=(
  [ko]=github.com/google/ko
  [client-gen]=k8s.io/code-generator/cmd/client-gen
  [deepcopy-gen]=k8s.io/code-generator/cmd/deepcopy-gen
  [informer-gen]=k8s.io/code-generator/cmd/informer-gen
  [lister-gen]=k8s.io/code-generator/cmd/lister-gen
  [injection-gen]=knative.dev/pkg/codegen/cmd/injection-gen
  [controller-gen]=sigs.k8s.io/controller-tools/cmd/controller-gen
)
key=$(cat go.mod go.sum <(go version) | sha256sum | cut -c1-16)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/spock/tools/$key
out=$PWD/../../bin/tools
mkdir -p "$cache" "$out"
[ $# -gt 0 ] || set -- "${!package[@]}"
for name; do
  if [ ! -x "$cache/$name" ]; then
    echo "building $name" >&2
    CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o "$cache/$name.tmp$$" "${package[$name]}"
    mv "$cache/$name.tmp$$" "$cache/$name"
  fi
  ln -sf "$cache/$name" "$out/$name"
done
