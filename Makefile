# `make demo` and `make test` run on a bare Debian machine that has Rust and nothing else.

CARGO ?= cargo
NEXTEST := $(shell $(CARGO) nextest --version >/dev/null 2>&1 && echo yes)
ifeq ($(NEXTEST),yes)
RUN_TESTS = $(CARGO) nextest run
else
RUN_TESTS = $(CARGO) test --tests
endif

.PHONY: setup demo test bench soak interop interop-installed fmt lint stop

# What the tests need: server, pooler, libclang, Node. Skips what is there.
setup:
	.ci/setup server test

# The main job on a throwaway cluster.
demo:
	.ci/setup server
	$(CARGO) build --release --package pgfleet
	target/release/pgfleet demo

# All tests but those of `make interop`.
test:
	$(CARGO) build --package pgfleet
	status=0; \
	$(RUN_TESTS) --workspace || status=$$?; \
	$(CARGO) test --workspace --doc || status=$$?; \
	$(MAKE) --no-print-directory stop; \
	exit $$status

# Benchmarks against the peers, as ratios in one run.
bench:
	$(CARGO) xtask bench

# Random pairs of schemas, other ones every day: PAIRS=10000 SEED=7 make soak
soak:
	$(CARGO) xtask soak --pairs $${PAIRS:-2000} $${SEED:+--seed $$SEED}

# Tests against the peers that need a cargo build: about ten minutes the first time.
interop:
	$(CARGO) build --package pgfleet
	$(RUN_TESTS) --package pgfleet-testkit --features interop --test interop
	$(RUN_TESTS) --package pgfleet --features interop --test interop_cargo

# Tests against Flyway, goose and golang-migrate, which have to be on the PATH.
interop-installed:
	$(CARGO) build --package pgfleet
	$(RUN_TESTS) --package pgfleet --features interop --test interop_installed

fmt:
	$(CARGO) fmt --all

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- --deny warnings
	$(CARGO) xtask tidy

# Stops the cluster that tests share; it stops by itself after two idle minutes.
stop:
	$(CARGO) run --quiet --package pgfleet-testkit --example stop-shared
