# Everything a newcomer needs: `make run` and `make test` do all their own set-up.

PYTHON ?= python3
PORT ?= $(or $(shell sed -n 's/^PORT=//p' .env 2>/dev/null),8000)
VENV ?= .venv
BIN = $(VENV)/bin
USERS ?= 1000000
RUNS ?= 3
ROUNDS ?= 1
# Big programs that only `make deploy-check` needs.
DEPLOY = .venv-deploy
# Not PyPI's wrapper around it, which ends with 0 whatever was said.
COMPOSE = $(DEPLOY)/bin/python -c 'import compose; print(compose.__path__[0] + "/docker-compose")'
# Machines that come and go: not a matter of each change.
SCALE = tests/e2e/test_scale.py tests/e2e/test_sentinel.py
NEWMAN ?= npx --yes newman@6.2.2

# Without a .env of your own, a run on this machine is a development run.
ifeq ($(wildcard .env),)
RUN_ENV := DEBUG=on
endif

.DEFAULT_GOAL := help
.PHONY: help run demo superuser test test-real e2e scale bench bench-pieces attack fuzz postman mutations lint audit format types check deploy-check messages clean

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

run: $(VENV)/.run ## set up, migrate and serve on http://127.0.0.1:8000 (PORT=9000 for another port)
	@$(RUN_ENV) $(BIN)/python manage.py migrate --verbosity 0
	@printf '\n  Site        http://127.0.0.1:$(PORT)/\n  API docs    http://127.0.0.1:$(PORT)/redoc/\n  Try it      http://127.0.0.1:$(PORT)/swagger/\n  Admin       http://127.0.0.1:$(PORT)/admin/   (make demo makes a superuser)\n\n'
	@$(RUN_ENV) PORT=$(PORT) $(BIN)/gunicorn -c config/server/gunicorn.conf.py config.wsgi

demo: $(VENV)/.run ## fill the database with 50 people and a superuser
	@$(RUN_ENV) $(BIN)/python manage.py migrate --verbosity 0
	@$(RUN_ENV) $(BIN)/python manage.py demo

superuser: $(VENV)/.run ## make a superuser; asks for phone number and password
	@$(RUN_ENV) $(BIN)/python manage.py migrate --verbosity 0
	@$(RUN_ENV) $(BIN)/python manage.py createsuperuser

test: $(VENV)/.dev ## run the suite on SQLite and local memory, all that is not slow
	$(BIN)/pytest -n 2 -m "not slow" --cov --cov-report=term

test-real: $(VENV)/.dev ## run the whole suite on private PostgreSQL and Redis servers
	$(BIN)/python -m tests.lab.servers services $(BIN)/pytest -n 2

e2e: $(VENV)/.dev ## people in a browser, races over HTTP, the programs of the docs, against live servers
	$(BIN)/python -m tests.lab.servers embedded $(BIN)/pytest -s tests/e2e/test_races.py
	$(BIN)/python -m tests.lab.servers real $(BIN)/pytest -n 2 tests/e2e $(addprefix --ignore=,$(SCALE))

scale: $(VENV)/.dev ## two web servers behind nginx, one killed; Redis with a stand-in; prints what was seen
	$(BIN)/pytest -s $(SCALE)

postman: $(VENV)/.dev ## run the Postman collection with newman, on both set-ups
	$(BIN)/python -m tests.lab.servers embedded sh -c '$(NEWMAN) run postman_collection.json --env-var base_url=$$BASE_URL --env-var staff_token=$$STAFF_TOKEN'
	$(BIN)/python -m tests.lab.servers real sh -c '$(NEWMAN) run postman_collection.json --env-var base_url=$$BASE_URL --env-var staff_token=$$STAFF_TOKEN'

attack: $(VENV)/.dev ## attack a live server on private PostgreSQL and Redis; prints what was seen
	$(BIN)/pytest -q -p no:randomly tests/attacks

fuzz: $(VENV)/.dev ## let schemathesis try the whole API, with and without a token
	SMS_SIMULATED_DELAY=0 PATH=$(CURDIR)/$(BIN):$$PATH $(BIN)/python -m tests.lab.servers real python -m tests.e2e.fuzz

mutations: $(VENV)/.dev ## take the guards away one at a time; a test must go red for each
	$(BIN)/python -m tests.mutations

bench: $(VENV)/.dev ## measure speed against the bars; USERS=20000 RUNS=1 for a quick look, DATA=folder to keep the people
	$(BIN)/python -m tests.benchmarks --users $(USERS) --runs $(RUNS) $(if $(DATA),--data $(DATA)) $(if $(ONLY),--only $(ONLY))

bench-pieces: $(VENV)/.dev ## what each home-made piece around the server buys; ROUNDS=3 for medians
	$(BIN)/python -m tests.benchmarks.pieces --rounds $(ROUNDS) $(if $(DATA),--data $(DATA))

lint: $(VENV)/.dev ## check style, types and the direction of imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy .
	$(BIN)/lint-imports

audit: $(VENV)/.dev ## known vulnerabilities of what is installed (asks the advisory database)
	$(BIN)/pip-audit --requirement requirements.txt --no-deps --disable-pip

format: $(VENV)/.dev ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

check: $(VENV)/.dev ## migrations, schema and deployment checks
	DEBUG=on $(BIN)/python manage.py makemigrations --check --dry-run
	DEBUG=on $(BIN)/python manage.py spectacular --validate --fail-on-warn --file /dev/null
	ENV_FILE=.env.example SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(48))') \
		$(BIN)/python manage.py check --deploy --fail-level WARNING

deploy-check: $(DEPLOY)/.installed ## the Dockerfile, the Compose, Kubernetes and GitHub files
	$(DEPLOY)/bin/hadolint Dockerfile
	for tls in off on outside; do \
		TLS=$$tls "$$($(COMPOSE))" --env-file /dev/null config --quiet || exit 1; \
	done
	for folder in migrate service; do \
		$(DEPLOY)/bin/kubectl kustomize deploy/kubernetes/$$folder > $(DEPLOY)/$$folder.yaml && \
		$(DEPLOY)/bin/kubernetes-validate --strict $(DEPLOY)/$$folder.yaml || exit 1; \
	done
	$(DEPLOY)/bin/actionlint

messages: $(VENV)/.dev ## collect and compile the Russian texts (needs gettext)
	$(BIN)/python manage.py makemessages -l ru --no-location --no-obsolete --ignore='.venv*'
	$(BIN)/python manage.py compilemessages -l ru --ignore='.venv*'

clean: ## remove what was installed and built; keeps the database
	rm -rf .venv .venv-* staticfiles .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; try make PYTHON=python3.12")'
	@echo "Making $(VENV)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements.txt | $(VENV)/bin/python
	@echo "Installing what the service needs"
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements.txt requirements-dev.txt | $(VENV)/bin/python
	@echo "Installing what tests need"
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@ $(VENV)/.run

$(DEPLOY)/.installed: requirements-deploy.txt
	@echo "Making $(DEPLOY)"
	@$(PYTHON) -m venv $(DEPLOY)
	@$(DEPLOY)/bin/pip install --quiet --disable-pip-version-check -r requirements-deploy.txt
	@touch $@
