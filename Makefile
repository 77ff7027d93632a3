# make test   what CI runs; writes nothing to tracked files
# make fix    formats, and applies what clippy can repair
# make demo   the main job on this machine's Docker, each step printed with what was seen
# make bench  the figures, as ratios against bare Docker
# make nightly  test, then longer and random runs
# make down   ends the services that test and demo started

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.NOTPARALLEL:
.DEFAULT_GOAL := test
.PHONY: test services lint docs examples simulation tests fix demo bench nightly down

# Started on loopback, in this order; each script is safe to repeat.
SERVICES := docker-engine test-image registry zookeeper prometheus

# The same cases in every run, so that a change is judged by what it changes; the nightly run draws others.
test: export PROPTEST_RNG_SEED ?= 20141201

# A service that a test needs and that is missing fails the test: nothing is skipped.
test: services lint docs examples simulation tests

services:
	@for service in $(SERVICES); do scripts/$$service; done

lint:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked --quiet -- -D warnings

docs:
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked --quiet
	cargo test --workspace --doc --locked --quiet

examples:
	@scripts/examples

# A year of one host and 20,000 fault plans, or it fails; an upgrade of 10,000 hosts that takes two weeks; and hundreds of
# thousands of generated rollouts. Optimised, since it is all computing; the whole workspace runs a glimpse of it again without.
simulation:
	export HELIOS_SIM_YEARS=$${HELIOS_SIM_YEARS:-1} HELIOS_VARIABLE_HOSTS=$${HELIOS_VARIABLE_HOSTS:-10000}
	cargo test --profile simulation --package helios-testkit --package helios-rollout --test simulation --test two_weeks --locked -- --show-output
	scripts/properties

# Last, so that the summary of the run is the last thing printed.
tests:
	@if cargo nextest --version >/dev/null 2>&1; then
		cargo nextest run --workspace --locked
	else
		cargo test --workspace --lib --bins --tests --locked
	fi

fix:
	cargo fmt --all
	cargo clippy --workspace --all-targets --fix --allow-dirty --allow-staged

demo:
	@scripts/demo

bench: services
	cargo build --release --package helios --locked
	cargo bench --workspace --locked

nightly: test
	@scripts/nightly

down:
	@scripts/zookeeper stop
	scripts/registry stop
	scripts/docker-engine stop
