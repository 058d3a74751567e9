# `make` lists the commands. Everything they need they install themselves (scripts/apt-packages.txt,
# scripts/python-packages.txt), saying what they do.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help run test check build release openapi docs contract bench bench-projects drill fuzz format lint clean

DEBUG := .build/debug/infinity
RELEASE := .build/release/infinity
# The Swift runtime goes into the program: it starts faster, needs less memory, and runs where there is no Swift.
RELEASE_FLAGS := -c release --product infinity --static-swift-stdlib

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: release ## build and start, with a PostgreSQL of its own and a demo company to log in to
	@scripts/docs-assets.sh .build/docs-assets || echo "setup: no Swagger UI; /docs is the plain page"
	@exec $(RELEASE) serve --demo

test: ## build and run all tests
	@scripts/setup.sh test
	@scripts/python-venv.sh
	@scripts/docs-assets.sh .build/docs-assets
	@python3 scripts/database-page.py --check
	@swift build --build-tests
	@scripts/swift-tests.sh
	@scripts/client-tests.sh

check: lint ## what a change must pass: formatting, no warning, all tests
	@CI=true $(MAKE) --no-print-directory test

build: ## build for development
	@scripts/setup.sh run
	@swift build

release: ## build the program as it is shipped: .build/release/infinity
	@scripts/setup.sh run
	@swift build $(RELEASE_FLAGS)

openapi: build ## write openapi.yaml anew from the routes
	@$(DEBUG) openapi > .build/openapi.yaml && mv .build/openapi.yaml openapi.yaml

docs: build ## write the generated pages of docs/ anew
	@$(DEBUG) doctor --settings-page > .build/page && mv .build/page docs/configuration.md
	@$(DEBUG) openapi --errors-page > .build/page && mv .build/page docs/errors.md
	@python3 scripts/database-page.py

contract: release ## hold a running server against its openapi.yaml, with tools of others
	@scripts/setup.sh contract
	@scripts/python-venv.sh
	@scripts/contract.sh

bench: release ## measure Infinity beside nginx, pgbench, FastAPI and Express; writes docs/performance.md
	@scripts/setup.sh bench
	@bench/setup.sh
	@python3 bench/run.py

bench-projects: release ## measure lists, boards and reports over 1,000,000 tasks; writes docs/performance-projects.md
	@scripts/setup.sh bench
	@python3 bench/projects/run.py

drill: release ## kill servers and database at random under load, then look for what is lost (MINUTES=10 for longer)
	@scripts/setup.sh test
	@scripts/python-venv.sh
	@scripts/drill.py $${MINUTES:-2}

fuzz: ## throw bytes at the parsers, with AddressSanitizer (SECONDS=60 for longer)
	@scripts/fuzz.sh

format: ## lay out all Swift files
	@swift format --in-place --recursive --parallel Package.swift Sources Tests

lint: ## tell where a Swift file is not laid out
	@swift format lint --strict --recursive --parallel Package.swift Sources Tests

clean: ## remove what was built
	@rm -rf .build
