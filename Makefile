# What contributors run. `make` lists it; each line comes from the comment behind its target.
.DEFAULT_GOAL := help
BIN := .venv/bin
.PHONY: help install run test test-slow check format lint types contracts drift bench demo migrate golden shots strings clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

install: ## .venv from uv.lock, nothing else
	@./desk install

run: ## the whole desk on http://127.0.0.1:8080; Ctrl-C stops it
	@./desk up

test: ## the whole suite (ARGS="tests/core -k money" for a part)
	@./desk test $(ARGS)

test-slow: install ## the tests that take minutes
	@./desk test -q -m slow

check: install format lint types contracts drift test ## everything that must hold before a change lands

format: install ## ruff format, as a check
	@$(BIN)/ruff format --check .

lint: install ## ruff with every rule, bandit
	@$(BIN)/ruff check .
	@$(BIN)/bandit -q -c pyproject.toml -r core portal dashboards jobs wsgi.py

types: install ## mypy, strict on core
	@$(BIN)/mypy

contracts: install ## import-linter: who may import whom
	@$(BIN)/lint-imports

drift: install ## the migrations still make core/migrations/schema.sql
	@./desk test -q tests/core/test_migrations.py

bench: install ## every benchmark, with its table and JSON
	@for name in $$(grep -l '^def main' bench/*.py | xargs -n1 basename -s .py); do $(BIN)/python -m bench.$$name --json var/bench-$$name.json || exit 1; done

demo: install ## play a seeded market into the sandbox
	@./desk demo

migrate: install ## bring the database to the present schema
	@./desk init

golden: install ## write the golden files anew and show what changed
	@GOLDEN=write ./desk test -q -m "not slow" -k golden; git --no-pager diff --stat -- tests core/migrations/schema.sql

shots: install ## pictures of every screen, under var/shots
	@SHOTS=var/shots ./desk test -q tests/browser/test_every_screen.py

strings: install ## collect the words of the screens into the catalogues, and compile them
	@$(BIN)/pybabel -q extract -F portal/translations/babel.cfg -k _l -k sentence -k Check:3 -k Counted:1,2 --no-location --sort-output -o var/messages.pot portal dashboards core
	@$(BIN)/pybabel -q update -i var/messages.pot -d portal/translations --no-fuzzy-matching --ignore-obsolete --no-wrap
	@$(BIN)/pybabel -q compile -d portal/translations --statistics

clean: ## remove what was built (.venv and caches), keep the data in var/
	@rm -rf .venv .venv.tool .venv.lock .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
