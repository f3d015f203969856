#!/usr/bin/env bash
# update-codegen.sh: makes everything that is generated from the API types again:
# deep copies, client, informers, listers, reconciler, CRDs. verify.sh checks it.
set -euo pipefail
cd "$(dirname "$0")/.."
tools=$PWD/bin/tools
hack/tools.sh client-gen deepcopy-gen informer-gen lister-gen injection-gen controller-gen

module=spock.dev/spock
apis=$module/pkg/apis
header=hack/boilerplate.go.txt
out=${1:-$PWD}   # the root of the tree to write to; the tree itself by default

"$tools/deepcopy-gen" --go-header-file $header --output-file zz_generated.deepcopy.go ./pkg/apis/spock/v1alpha1
"$tools/client-gen" --go-header-file $header --clientset-name versioned --input-base "" \
  --input $apis/spock/v1alpha1 --output-pkg $module/pkg/client/clientset --output-dir "$out/pkg/client/clientset"
"$tools/lister-gen" --go-header-file $header --output-pkg $module/pkg/client/listers \
  --output-dir "$out/pkg/client/listers" $apis/spock/v1alpha1
"$tools/informer-gen" --go-header-file $header --versioned-clientset-package $module/pkg/client/clientset/versioned \
  --listers-package $module/pkg/client/listers --output-pkg $module/pkg/client/informers \
  --output-dir "$out/pkg/client/informers" $apis/spock/v1alpha1
"$tools/injection-gen" --go-header-file $header --versioned-clientset-package $module/pkg/client/clientset/versioned \
  --external-versions-informers-package $module/pkg/client/informers/externalversions \
  --listers-package $module/pkg/client/listers --output-package $module/pkg/client/injection \
  --output-dir "$out/pkg/client/injection" --input-dirs $apis/spock/v1alpha1
"$tools/controller-gen" crd:maxDescLen=4000 paths=./pkg/apis/... output:crd:dir="$out/config/300-crds"
