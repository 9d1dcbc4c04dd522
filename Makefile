# `make` lists what there is. Everything happens in .venv, build/ and the peers' folders under ~/.cache. Of the system
# nothing changes, with one exception: root on a machine without certificates gets python3-venv (.ci/setup.sh).
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup demo serve test test-fast soak check format bench bench-page pictures lock clean

VENV := .venv/bin
READY := .venv/.set-up
# They run beside the others: most of what those do is wait.
PAGE_TESTS := tests/api/page tests/browser
SIPP_HOME := $(or $(ZVONAR_SIPP),$(HOME)/.cache/zvonar-sipp)

help: ## this list
	@echo "Zvonar places telephone calls for programs. Begin with: make demo"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

setup: $(READY) ## make .venv with everything in it (each target below does so by itself)

$(READY): requirements.lock pyproject.toml .ci/setup.sh
	@.ci/setup.sh

demo: $(READY) ## the main job on practice subscribers: a call by HTTP, its facts, its result, its webhook
	@$(VENV)/python -m zvonar.demo

serve: $(READY) ## the service on http://127.0.0.1:8080 (ZVONAR_CONFIG=FILE for your own trunks)
	@$(VENV)/zvonar serve

test: $(READY) ## all tests; gets the real peers (Asterisk, SIPp, PostgreSQL, Chromium) into a cache the first time
	@for peer in asterisk/install.sh get_sipp.sh get_postgres.sh get_chromium.sh; do \
		tests/peers/$$peer > /dev/null || [ -z "$$CI" ] || exit 1; \
	done
	@mkdir -p build; $(VENV)/python -m pytest -rs $(PAGE_TESTS) > build/test-page.log 2>&1 & page=$$!; \
		PATH="$$PATH:$(SIPP_HOME)/bin" $(VENV)/python -m pytest -rs $(addprefix --ignore ,$(PAGE_TESTS)); rest=$$?; \
		echo "The page, meanwhile:"; wait $$page; pages=$$?; cat build/test-page.log; exit $$((rest || pages))

test-fast: $(READY) ## the tests without the real peers
	@$(VENV)/python -m pytest -rs --ignore tests/peers -m "not peer"

soak: $(READY) ## ten minutes of kill -9 under load, then the audit (SOAK_SECONDS=N; ZVONAR_SEED=N to repeat)
	@ZVONAR_SOAK_S=$(or $(filter-out 0,$(SOAK_SECONDS)),600) $(VENV)/python -m pytest -rs tests/api/test_kill.py

check: $(READY) ## style, types, and which room of the house may import which
	$(VENV)/ruff check .
	$(VENV)/ruff format --check .
	$(VENV)/mypy
	$(VENV)/lint-imports

format: $(READY) ## put the style right where that needs no thought
	$(VENV)/ruff check --fix .
	$(VENV)/ruff format .

bench: $(READY) ## media beside its peers into docs/bench.md, calls, the service under load (35 minutes; REPEATS=1: 14)
	@mkdir -p build && rm -f build/bench.jsonl
	@for repeat in $$(seq $(or $(REPEATS),3)); do \
		$(VENV)/zvonar bench media --json --calls 50,150,300 --against floor,asyncio,asterisk,pyvoip && \
		$(VENV)/zvonar bench media --json --calls 500,1000,2000 --against floor,asyncio || exit; \
	done > build/bench.jsonl
	@cp build/bench.jsonl docs/ && $(VENV)/python -m zvonar.bench_media.docs docs/bench.jsonl docs
	@$(VENV)/zvonar bench calls
	@$(VENV)/zvonar bench service --seconds 10

pictures: $(READY) ## screenshots of the main pages into docs/pictures, of a service with real calls on the sandbox
	@chromium=$$(tests/peers/get_chromium.sh) && \
		PYTHONPATH=.:tests/api:tests/browser $(VENV)/python tests/browser/pictures.py "$$chromium"

bench-page: $(READY) ## the first view of the page on a cold cache: time, bytes, requests
	@chromium=$$(tests/peers/get_chromium.sh) && \
		PYTHONPATH=.:tests/api:tests/browser $(VENV)/python tests/browser/first_view.py "$$chromium"

lock: ## remake requirements.lock from pyproject.toml (UPGRADE=1: take the newest of everything)
	@echo "lock: getting uv into build/lock, then asking the registry for versions and hashes (some 15 s)"
	@python3 -m venv build/lock && build/lock/bin/python -m pip install -q uv
	@build/lock/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --extra dev \
		--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
		$(if $(UPGRADE),--upgrade) -o requirements.lock pyproject.toml
	@echo "lock: $$(grep -c '==' requirements.lock) packages in requirements.lock"

clean: ## remove .venv, caches and build results (not your data, not the peers)
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +
