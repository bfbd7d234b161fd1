# Limn, one command each; `make help` lists them. What a command needs and this machine lacks is installed first, by the
# scripts in setup/, which look before they act and so cost nothing the second time.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
# Two builds at once would fight for the same cores; cargo and Vite use them all by themselves.
.NOTPARALLEL:
.DEFAULT_GOAL := help

# What setup/ or rustup may have put there a moment ago.
export PATH := $(CURDIR)/.node/bin:$(PATH):$(HOME)/.cargo/bin

# A libtorch of the user's own: torch's build script runs in another folder, so the path must be absolute; the test
# binaries do not know it, so they are told where it is when they run.
ifdef LIBTORCH
override LIBTORCH := $(abspath $(LIBTORCH))
export LIBTORCH
RUN_TESTS := LD_LIBRARY_PATH=$(LIBTORCH)/lib$(if $(LD_LIBRARY_PATH),:$(LD_LIBRARY_PATH))
endif

PYTHON := .venv/bin/python
CLIP := .fixtures/clip.mjpeg
PAGE := frontend/dist/index.html
PAGE_SOURCES := $(shell find frontend/src frontend/public 2>/dev/null; find frontend -maxdepth 1 -type f 2>/dev/null)
# The scripts beside these in tests/parity/fixtures/ make other things, and on demand.
FIXTURES := $(addprefix .fixtures/.made/,canny networks pipelines safety schedules text)
SCRIPTS := $(wildcard setup/*.sh models/embedded/train/*.sh examples/*.sh tests/*.sh) .ci/run
READERS := access checkpoint config lcm multipart osc pictures query
FANOUT = $(RUN_TESTS) cargo run --locked --release --package limn-tests --no-default-features --bin fanout --
LOAD = $(RUN_TESTS) cargo run --locked --release --package limn-tests --no-default-features --bin load --
STARTED := $(shell date +%s)

.PHONY: help
help: ## list the commands
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | while IFS=$$'\t' read -r name words; do \
		printf 'make %-14s %s\n' "$$name" "$$words"; done

# --- what people start ----------------------------------------------------------------------------------------------

.PHONY: run
run: build ## build what is missing and start the server: make run ARGS="--pipeline canny --port 9000"
	@exec target/release/server $(ARGS)

.PHONY: build
build: tools libtorch $(PAGE) ## the same without starting
	cargo build --release --package limn-server --features embedded

.PHONY: clean
clean: ## remove what was built; what was installed stays
	rm -rf target tests/fuzz/target frontend/dist .fixtures

.PHONY: distclean
distclean: clean ## remove what was installed into this folder as well
	rm -rf .libtorch .libtorch.part .node .node.wheel .node.wheel.part .venv frontend/node_modules tests/browser/node_modules

# --- a working day --------------------------------------------------------------------------------------------------

.PHONY: check
check: tools frontend/node_modules/.package-lock.json ## the quick loop: format, lints, unit tests, page; no libtorch
	@setup/rust.sh test
	cargo fmt --all --check
	cargo clippy --no-default-features --all-targets -- -D warnings
	cargo test --no-default-features
	cd frontend && npm run check

# Cheapest first, so that a mistake is told early.
.PHONY: test
test: tools test-tools lint-scripts test-dependencies lint-rust test-page test-no-torch test-rust test-clients test-fanout test-load test-browser ## install what the tests need and run all of them
	@echo "make test: everything passed in $$(( $$(date +%s) - $(STARTED) )) s"

.PHONY: lint-scripts
lint-scripts: venv
	.venv/bin/shellcheck $(SCRIPTS)
	.venv/bin/hadolint Dockerfile

.PHONY: test-dependencies
test-dependencies: venv ## licences and origin of what we depend on; what is known to be wrong with it, where there is a network
	tests/dependencies.sh

.PHONY: lint-rust
lint-rust: libtorch $(PAGE)
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings

.PHONY: test-page
test-page: $(PAGE)
	cd frontend && npm run check && npm test

# LIBTORCH points at nothing, which proves that nothing asks for it.
.PHONY: test-no-torch
test-no-torch:
	LIBTORCH=/nonexistent cargo test --locked --no-default-features

# The readers of strangers' bytes (tests/rubble) get a minute together, which is 15 s of a core for each of them on two.
# They are fed by a test and not by cargo-fuzz: that builds the server and all that it stands on once more, which takes
# 11 minutes of one core from nothing, before it looks for anything.
.PHONY: test-rust
test-rust: libtorch $(PAGE) $(FIXTURES)
	$(RUN_TESTS) LIMN_RUBBLE_SECONDS=60 cargo test --locked --workspace

# What people really get: the release binary, started by each test on a port of its own.
.PHONY: test-clients
test-clients: build venv $(CLIP) ## ffmpeg, OpenCV, VLC, curl, nginx, NDI, RTSP, schemathesis and the nearest peer's protocol against the release server
	$(RUN_TESTS) $(PYTHON) -W error::DeprecationWarning -m unittest discover -v -s tests/clients

# The bench links no libtorch, so it is built without; the server that it starts is what people get.
.PHONY: test-fanout
test-fanout: build ## many viewers of one camera, slow ones and rude ones, within generous limits; beside uStreamer if installed
	$(FANOUT) check

# What chance begins with is printed: `make test-load SEED=7` plays the same once more.
.PHONY: test-load
test-load: build ## 20 sessions, 300 viewers and whatever may go wrong, for 90 s: nobody sees another's picture, every loss is counted
	$(LOAD) $(addprefix --seed ,$(SEED))

# One after the other: two browsers on two cores would be slow for each other's reasons.
.PHONY: test-browser
test-browser: build venv $(CLIP) tests/browser/node_modules/.package-lock.json ## the page in Chromium with a camera; the stream in Firefox, too
	cd tests/browser && $(RUN_TESTS) node --test --test-concurrency=1 --test-timeout=300000

.PHONY: soak
soak: build venv $(CLIP) tests/browser/node_modules/.package-lock.json ## sessions under load for MINUTES (30); cameras and viewers come and go, and a page paints, for MINUTES (10) each: nothing may be left behind; then each reader is fuzzed
	$(LOAD) --seconds $$(( $(or $(MINUTES),30) * 60 )) $(addprefix --seed ,$(SEED))
	$(RUN_TESTS) $(PYTHON) tests/clients/soak.py --minutes $(or $(MINUTES),10)
	cd tests/browser && $(RUN_TESTS) LIMN_SOAK_MINUTES=$(or $(MINUTES),10) node --test --test-name-pattern='minutes of painting' instrument.test.mjs
	$(MAKE) fuzz SECONDS=$$(($(or $(MINUTES),10) * 60))

# What is found is kept in tests/fuzz/corpus, and what breaks a reader in tests/fuzz/artifacts. libtorch knows nothing of
# sanitizers, so the one reader that needs it does without; the others are watched by AddressSanitizer.
.PHONY: fuzz
fuzz: tools venv libtorch ## feed each reader of strangers' bytes what libFuzzer finds, for SECONDS (120)
	for reader in $(READERS); do \
		mkdir -p tests/fuzz/corpus/$$reader; \
		with=(--target-dir tests/fuzz/target/address); \
		if [ $$reader = checkpoint ]; then with=(--target-dir tests/fuzz/target/none --sanitizer none --features torch); fi; \
		PATH="$(CURDIR)/.venv/bin:$$PATH" RUSTC_BOOTSTRAP=1 LD_LIBRARY_PATH=$${LIBTORCH:-$(CURDIR)/.libtorch/torch}/lib \
			cargo fuzz run --fuzz-dir tests/fuzz "$${with[@]}" $$reader tests/fuzz/corpus/$$reader tests/fuzz/seeds/$$reader -- \
			-max_total_time=$(or $(SECONDS),120) -max_len=16384 -timeout=10 -rss_limit_mb=2048; \
	done

.PHONY: bench
bench: build venv $(CLIP) tests/browser/node_modules/.package-lock.json ## the tables of BENCHMARKS.md; on a machine that does nothing else, about 30 minutes
	$(RUN_TESTS) $(PYTHON) tests/clients/latency.py
	$(RUN_TESTS) $(PYTHON) tests/clients/latency.py --beside img2img
	$(RUN_TESTS) $(PYTHON) tests/clients/delay.py
	$(RUN_TESTS) $(PYTHON) tests/clients/ndi_bench.py
	$(RUN_TESTS) $(PYTHON) tests/clients/storm.py
	cd tests/browser && $(RUN_TESTS) node delay.mjs
	$(RUN_TESTS) $(PYTHON) tests/clients/torch_bench.py
	for task in compare carry slow first resets; do $(FANOUT) $$task; done

# --- what those need ------------------------------------------------------------------------------------------------

.PHONY: tools
tools:
	@setup/rust.sh
	@setup/system.sh build
	@setup/node.sh

.PHONY: test-tools
test-tools: venv tests/browser/node_modules/.package-lock.json
	@setup/rust.sh test
	@setup/system.sh test

.PHONY: venv
venv:
	@setup/python.sh

# After .venv, where a command needs both: they share their files then.
.PHONY: libtorch
libtorch:
	@setup/libtorch.sh

frontend/node_modules/.package-lock.json: frontend/package-lock.json | tools
	cd frontend && npm ci
	@touch $@

# The browsers themselves are the system's; this drives them.
tests/browser/node_modules/.package-lock.json: tests/browser/package-lock.json | tools
	cd tests/browser && npm ci
	@touch $@

$(PAGE): frontend/node_modules/.package-lock.json $(PAGE_SOURCES) | tools
	cd frontend && npm run build
	@touch $@

$(CLIP): tests/clients/clip.py
	@setup/python.sh
	$(PYTHON) $< $@

# These runs are of the checkpoint that ships, too.
.fixtures/.made/pipelines: $(wildcard models/embedded/*/*)

.fixtures/.made/%: tests/parity/fixtures/%.py tests/requirements.txt
	@setup/python.sh
	@mkdir -p $(@D)
	$(PYTHON) $< .fixtures
	@touch $@
