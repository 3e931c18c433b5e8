# `make` lists the commands. The programs in tools/, demo/ and benches/ do the work.
# PG_CONFIG=/path/to/pg_config chooses the PostgreSQL to build for; without it, the newest installed one.
MAKEFLAGS += --no-print-directory
export PG_CONFIG

.PHONY: help
help:
	@echo 'make install     builds the extension (release) and installs it into PostgreSQL ($${PG_CONFIG:-the newest installed})'
	@echo 'make demo        starts a database with data and the gateway, and shows requests with their answers; runs until Ctrl-C'
	@echo 'make demo-check  checks the answers of the demo and ends'
	@echo 'make test        runs all tests, on every PostgreSQL; last line: N passed, N failed'
	@echo 'make lint        checks formatting, and runs clippy'
	@echo 'make lint-db DSN=... [MIN_LEVEL=WARN] [FAIL_ON=ERROR] [SCHEMAS=a,b]  lists what is dangerous or slow in a database; fails on errors'
	@echo 'make pure        runs the tests of the half that needs no PostgreSQL (a minute or two)'
	@echo 'make conformance runs PostgREST'"'"'s own tests against the extension (PostgreSQL 15)'
	@echo 'make bench       measures the extension against the alternatives'
	@echo 'make clean       removes private clusters and everything that was built'

.PHONY: setup
setup:
	@tools/setup

.PHONY: install
install: setup
	@tools/install-system

.PHONY: demo
demo: setup
	@demo/run

.PHONY: demo-check
demo-check: setup
	@demo/run --check

.PHONY: test
test:
	@tools/test

.PHONY: lint
lint:
	@tools/test fmt clippy

.PHONY: lint-db
lint-db:
	@tools/lint-db $${DSN:+"$$DSN"} --min-level "$${MIN_LEVEL:-INFO}" --fail-on "$${FAIL_ON:-ERROR}" --schemas "$${SCHEMAS:-}"

.PHONY: pure
pure:
	@tools/test pure

.PHONY: conformance
conformance: setup
	@tools/install $${VERSION:-15}
	@tools/conformance --version $${VERSION:-15}

.PHONY: bench
bench: setup
	@benches/run

.PHONY: clean
clean:
	@for cluster in $$(tools/cluster list); do tools/cluster remove $$cluster; done
	@rm -rf target
