# `make run` and `make test` install everything that they need.

PYTHON ?= python3
PORT ?= $(or $(shell sed -n 's/^PORT=//p' .env 2>/dev/null),8000)
VENV ?= .venv
# Another version for tests, in a virtualenv of its own: make test DJANGO=6.1.3 VENV=.venv-django
DJANGO ?=
DEV = $(VENV)/.dev$(DJANGO)
BIN = $(VENV)/bin
USERS ?= 1000000
RUNS ?= 3
ROUNDS ?= 1
# A virtualenv for the large programs that only `make deploy-check` needs.
DEPLOY = .venv-deploy
INSTALL = pip install --quiet --disable-pip-version-check --require-hashes
# The program itself: the wrapper from PyPI always exits with status 0.
COMPOSE = $(DEPLOY)/bin/python -c 'import compose; print(compose.__path__[0] + "/docker-compose")'
# Tests that stop and start servers. `make scale` runs them, `make e2e` does not.
SCALE = tests/e2e/test_scale.py tests/e2e/test_sentinel.py tests/e2e/test_cluster.py \
	tests/e2e/test_pgbouncer.py
# Takes four minutes, and fails on a machine that is busy with other tests: not in CI.
FAILOVER = tests/e2e/test_failover.py
NEWMAN ?= npx --yes newman@6.2.2
SPECTRAL ?= npx --yes @stoplight/spectral-cli@6.16.3
REDOCLY ?= REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true npx --yes @redocly/cli@2.77.0

# If the shell sets this, every process compiles all modules again.
unexport PYTHONDONTWRITEBYTECODE

# Without a .env file, `make run` turns DEBUG on.
ifeq ($(wildcard .env),)
RUN_ENV := DEBUG=on
endif

.DEFAULT_GOAL := help
.PHONY: help run demo superuser test test-real e2e scale failover bench bench-pieces attack fuzz postman clients mutations pictures lint audit lock sbom format types check deploy-check messages clean

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

run: $(VENV)/.run ## install, migrate and serve on http://127.0.0.1:8000 (PORT=9000 for another port)
	@$(RUN_ENV) $(BIN)/python manage.py migrate --verbosity 0
	@printf '\n  Site        http://127.0.0.1:$(PORT)/\n  API docs    http://127.0.0.1:$(PORT)/redoc/\n  Try it      http://127.0.0.1:$(PORT)/swagger/\n  Admin       http://127.0.0.1:$(PORT)/admin/   (make demo creates a superuser)\n\n'
	@$(RUN_ENV) PORT=$(PORT) $(BIN)/gunicorn -c config/server/gunicorn.conf.py config.wsgi

demo: $(VENV)/.run ## fill the database with 50 users and a superuser
	@$(RUN_ENV) $(BIN)/python manage.py migrate --verbosity 0
	@$(RUN_ENV) $(BIN)/python manage.py demo

superuser: $(VENV)/.run ## create a superuser; asks for phone number and password
	@$(RUN_ENV) $(BIN)/python manage.py migrate --verbosity 0
	@$(RUN_ENV) $(BIN)/python manage.py createsuperuser

test: $(DEV) ## run all tests that are not slow, on SQLite and local memory
	$(BIN)/pytest -n 2 -m "not slow"

test-real: $(DEV) ## run all tests on private PostgreSQL and Redis servers
	$(BIN)/python -m tests.lab.servers services $(BIN)/pytest -n 2 --cov --cov-report=term

e2e: $(DEV) ## test live servers: pages in a browser, races over HTTP, the examples in the docs
	$(BIN)/python -m tests.lab.servers embedded $(BIN)/pytest -s tests/e2e/test_races.py
	$(BIN)/python -m tests.lab.servers real $(BIN)/pytest -n 2 tests/e2e $(addprefix --ignore=,$(SCALE) $(FAILOVER))

scale: $(DEV) ## web servers behind nginx, Sentinels, Redis Cluster, PgBouncer; kills some of them and prints measurements
	$(BIN)/pytest -s $(SCALE)

failover: $(DEV) ## kill the primary of PostgreSQL under Patroni, its standby too; prints measurements (needs patroni and etcd)
	$(BIN)/pytest -s $(FAILOVER)

postman: $(DEV) ## run the Postman collection with newman, on SQLite and on PostgreSQL
	$(BIN)/python -m tests.lab.servers embedded sh -c '$(NEWMAN) run postman_collection.json --env-var base_url=$$BASE_URL --env-var staff_token=$$STAFF_TOKEN'
	$(BIN)/python -m tests.lab.servers real sh -c '$(NEWMAN) run postman_collection.json --env-var base_url=$$BASE_URL --env-var staff_token=$$STAFF_TOKEN'

clients: $(DEV) ## lint the API schema, generate the Python and TypeScript clients and use them (needs Node.js)
	rm -rf clients/python/build clients/python/dist clients/python/referral_client
	DEBUG=on $(BIN)/python manage.py spectacular --validate --fail-on-warn --format openapi-json --file clients/openapi.json
	$(SPECTRAL) lint clients/openapi.json --ruleset clients/spectral.yaml --fail-severity warn
	$(REDOCLY) lint clients/openapi.json --config clients/redocly.yaml
	$(BIN)/openapi-python-client generate --path clients/openapi.json --config clients/python/generator.yaml \
		--meta none --fail-on-warning --output-path clients/python/referral_client
	touch clients/python/referral_client/py.typed
	$(BIN)/mypy --config-file clients/python/pyproject.toml clients/python
	$(BIN)/pip wheel --quiet --no-deps --wheel-dir clients/python/dist ./clients/python
	cd clients/typescript && npm ci --silent --no-audit --no-fund && npm run --silent generate && npm run --silent build
	SMS_SIMULATED_DELAY=0 $(BIN)/python -m tests.lab.servers embedded sh -c \
		'PYTHONPATH=$$(echo clients/python/dist/*.whl) $(BIN)/python clients/python/main_job.py && node clients/typescript/dist/main_job.js'

attack: $(DEV) ## attack a live server on private PostgreSQL and Redis; prints measurements
	$(BIN)/pytest -q -n 2 --dist loadfile -p no:randomly tests/attacks

fuzz: $(DEV) ## fuzz the whole API with schemathesis, with and without a token
	SMS_SIMULATED_DELAY=0 PATH=$(CURDIR)/$(BIN):$$PATH $(BIN)/python -m tests.lab.servers real python -m tests.e2e.fuzz

mutations: $(DEV) ## remove one guard at a time and check that a test fails
	$(BIN)/python -m tests.mutations $(if $(PART),--part $(PART))

bench: $(DEV) ## measure speed and compare it with the targets (USERS=20000 RUNS=1: quick; DATA=folder: keep the database)
	$(BIN)/python -m tests.benchmarks --users $(USERS) --runs $(RUNS) $(if $(DATA),--data $(DATA)) $(if $(ONLY),--only $(ONLY)) $(if $(BESIDE),--beside $(BESIDE))

bench-pieces: $(DEV) ## what each home-made piece around the server buys; ROUNDS=3 for medians
	$(BIN)/python -m tests.benchmarks.pieces --rounds $(ROUNDS) $(if $(DATA),--data $(DATA))

pictures: $(DEV) ## take the pictures of the docs again, from the demo people (needs Chromium and internet)
	$(BIN)/python -m tests.e2e.pictures
	$(BIN)/uv run --quiet --no-project --with pillow==13.0.0 python tests/e2e/palette.py docs/pictures/*.png

lint: $(DEV) ## check style, types and the direction of imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy .
	$(BIN)/lint-imports

audit: $(DEV) ## check the pinned packages for known vulnerabilities (needs internet)
	$(BIN)/pip-audit --requirement requirements.txt --no-deps --disable-pip

lock: $(DEV) ## write the lock files from the requirements files (needs internet); the pins stay
	for name in requirements requirements-dev requirements-deploy; do \
		$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
			--no-header --no-annotate $$name.txt --output-file $$name.lock || exit 1; \
	done

sbom: $(DEV) ## write the software bill of materials of the service to sbom.json
	$(BIN)/cyclonedx-py requirements --output-reproducible --validate --output-file sbom.json requirements.lock

format: $(DEV) ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

check: $(DEV) ## check migrations, API schema and deployment settings
	DEBUG=on $(BIN)/python manage.py makemigrations --check --dry-run
	DJANGO_SETTINGS_MODULE=config.settings_test $(BIN)/python -m tests.lab.servers services \
		$(BIN)/python manage.py lintmigrations
	DEBUG=on $(BIN)/python manage.py spectacular --validate --fail-on-warn --file /dev/null
	ENV_FILE=.env.example SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(48))') \
		$(BIN)/python manage.py check --deploy --fail-level WARNING

deploy-check: $(DEPLOY)/.installed ## check the Dockerfile, Compose, Kubernetes and GitHub files
	$(DEPLOY)/bin/hadolint Dockerfile
	for tls in off on outside; do \
		TLS=$$tls "$$($(COMPOSE))" --env-file /dev/null config --quiet || exit 1; \
	done
	for folder in migrate service; do \
		$(DEPLOY)/bin/kubectl kustomize deploy/kubernetes/$$folder > $(DEPLOY)/$$folder.yaml && \
		$(DEPLOY)/bin/kubernetes-validate --strict $(DEPLOY)/$$folder.yaml || exit 1; \
	done
	$(DEPLOY)/bin/actionlint

messages: $(DEV) ## collect and compile the Russian translations (needs gettext)
	$(BIN)/python manage.py makemessages -l ru --no-location --no-obsolete --ignore='.venv*'
	$(BIN)/python manage.py compilemessages -l ru --ignore='.venv*'

clean: ## remove installed and built files; keeps the database
	rm -rf .venv .venv-* sbom.json staticfiles .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is required; try make PYTHON=python3.12")'
	@echo "Creating $(VENV)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements.lock | $(VENV)/bin/python
	@echo "Installing the packages of the service"
	@$(BIN)/$(INSTALL) -r requirements.lock
	@touch $@

$(DEV): requirements-dev.lock | $(VENV)/bin/python
	@echo "Installing the packages for tests"
	@$(BIN)/$(INSTALL) -r requirements-dev.lock
	@$(if $(DJANGO),$(BIN)/pip install --quiet --disable-pip-version-check Django==$(DJANGO))
	@rm -f $(VENV)/.dev*
	@touch $@ $(VENV)/.run

$(DEPLOY)/.installed: requirements-deploy.lock
	@echo "Creating $(DEPLOY)"
	@$(PYTHON) -m venv $(DEPLOY)
	@$(DEPLOY)/bin/$(INSTALL) -r requirements-deploy.lock
	@touch $@
