# `make` lists what there is to do. The work is done by the programs in tools/, demo/ and benches/.
# PG_CONFIG=/path/to/pg_config chooses the PostgreSQL to build for; without it, the newest installed one.
MAKEFLAGS += --no-print-directory
export PG_CONFIG

.PHONY: help
help:
	@echo 'make install     build the extension (release) and install it into PostgreSQL ($${PG_CONFIG:-the newest installed})'
	@echo 'make demo        a database with data, the gateway, requests and their answers; stays up until Ctrl-C'
	@echo 'make demo-check  the same, without staying: are the answers right?'
	@echo 'make test        everything that is tested, on every PostgreSQL; last line: N passed, N failed'
	@echo 'make lint        formatting and clippy'
	@echo 'make lint-db DSN=... [MIN_LEVEL=WARN] [FAIL_ON=ERROR] [SCHEMAS=a,b]  what is dangerous or slow in a database; fails on errors'
	@echo 'make pure        tests of the half that needs no PostgreSQL (seconds)'
	@echo 'make conformance what of PostgREST'"'"'s own tests the extension passes (PostgreSQL 15)'
	@echo 'make bench       measurements against the alternatives'
	@echo 'make clean       stop and remove private clusters, remove what was built'

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
