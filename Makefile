# VMeet: `make serve` runs the server, `make test` the tests, `make check` lint and types.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PLUGINS := $(wildcard plugins/*/pyproject.toml)
PLUGIN_DIRS := $(patsubst %/pyproject.toml,%,$(PLUGINS))
SETTINGS := $(or $(wildcard vmeet.toml),vmeet.example.toml)
VMEET := $(BIN)/vmeet --settings $(SETTINGS)
PIP := $(BIN)/pip --disable-pip-version-check -q install -c constraints.txt

# Tests of captions while people speak, in real browsers, and of benchmarks: they watch the clock, and make namespaces.
ALONE := tests/server/test_live_captions.py tests/e2e tests/web $(wildcard tests/test_*.py)

.PHONY: serve test check format clean
.DEFAULT_GOAL := serve

$(VENV)/.core: pyproject.toml constraints.txt $(PLUGINS)
	$(PYTHON) -m venv $(VENV)
	$(PIP) -e . $(addprefix -e ./,$(PLUGIN_DIRS))
	@touch $@

# pesq is C source: without a compiler the tests that need it skip and say so.
$(VENV)/.dev: $(VENV)/.core
	$(PIP) -e '.[dev]' -e './plugins/vmeet-stt-google[cloud,web]'
	$(PIP) -e '.[evaluate]' || echo 'note: no C compiler, so PESQ cannot be built; its tests will skip'
	@touch $@

serve: $(VENV)/.core
	$(VMEET) weights fetch
	$(VMEET) serve

test: $(VENV)/.dev
	$(BIN)/vmeet --settings vmeet.example.toml weights fetch
ifdef ARGS
	$(BIN)/python -m pytest $(ARGS)
else
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile $(addprefix --ignore=,$(ALONE))
	$(BIN)/python -m pytest $(ALONE)
endif

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	web/check

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) build dist
