# The commands people use. `make` alone lists them.
#
#   CLUSTER=current   use the cluster of your kubeconfig instead of booting a local one
#   CLUSTER_NAME=x    another local cluster, beside the default one
#   SIZES, PEERS      numbers of services and engines of the benchmark
SHELL := /bin/bash
CLUSTER ?= local
CLUSTER_NAME ?= spock
SIZES ?= 10,100,500
PEERS ?=
KO_CONFIG_PATH ?= ko.yaml
STATE := $(CURDIR)/.cluster
export CLUSTER CLUSTER_NAME
# One way to compile for tests, tools and images, so that all share one build cache.
export CGO_ENABLED ?= 0
export GOFLAGS := $(strip $(shell go env GOFLAGS) -trimpath)

.DEFAULT_GOAL := help
.PHONY: catalog help demo test unit e2e bench cluster cluster-down build tools generate verify lint clean

help: ## list the commands
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

demo: ## from nothing to the example product, deployed by a real PipelineRun; simulated where no node can boot
	@hack/demo.sh

test: ## all tests this machine can run; says what it skipped and why
	@hack/test.sh

unit: ## only the tests that need no cluster
	@hack/test.sh unit

e2e: cluster build ## only the tests on a real cluster
	@hack/test.sh e2e

cluster: ## boot the local cluster with Tekton (no-op when it runs)
ifneq ($(CLUSTER),current)
	@cd hack/cluster && go run ./cmd/cluster up -name $(CLUSTER_NAME) -state $(STATE)
endif

cluster-down: ## take the local cluster away, with everything in it
	@if [ -e $(STATE)/run/server ]; then hack/simulated.sh down; \
	else cd hack/cluster && go run ./cmd/cluster down -name $(CLUSTER_NAME) -state $(STATE); fi

bench: ## Spock beside other engines on a control plane of its own; PEERS=none and SIZES=10,100 make it shorter
	@cd bench && go run . -out .. -sizes $(SIZES) -peers '$(PEERS)'

build: tools ## the command line and the demo, in bin/
	@go build -o bin/ ./cmd/spock ./hack/demo
	@ln -sf spock bin/tkn-spock

catalog: tools ## push Tasks, StepActions and Pipelines as Tekton bundles: BUNDLES=registry/path, and ko's variables
	@test -n '$(BUNDLES)' || { echo 'catalog: BUNDLES is empty; name a registry and a path'; exit 2; }
	@set -o pipefail; KO_CONFIG_PATH='$(KO_CONFIG_PATH)' bin/tools/ko resolve --base-import-paths $(foreach f,$(wildcard tasks/*/*.yaml stepactions/*/*.yaml pipelines/*/*.yaml),-f $(f)) | go run ./hack/catalog '$(BUNDLES)'

tools: ## ko, in bin/tools
	@hack/tools.sh ko

generate: ## make everything again that is generated: from the API types, and from the Tasks
	@hack/update-codegen.sh
	@go run ./hack/stepaction .

verify: ## fail when something generated is out of date, unformatted or wrong
	@hack/verify.sh

lint: verify ## alias of verify

clean: ## remove what was built in the work tree
	@rm -rf bin
