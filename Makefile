# Two commands do everything: `make crawl` and `make test`.
#
#   make crawl                       a demonstration on a bundled local newsroom
#   make crawl URL='https://…'       archive this article, or those of this feed, sitemap, section or home page
#   make crawl CONFIG=morgue.toml    crawl the sources of a configuration
#   make test                        every test, on SQLite and PostgreSQL
#   make check                       style, types and layering

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: crawl test check lock clean

# URL and CONFIG count where they are typed, and not where the surroundings happen to have such a variable. Their values
# go to the shell as variables: what stands in them (`&`, `;`, `$`, quotes, blanks) is text to make and shell alike.
ifeq ($(origin URL),command line)
override URL := $(value URL)
export URL
else
undefine URL
endif
ifeq ($(origin CONFIG),command line)
override CONFIG := $(value CONFIG)
export CONFIG
else
undefine CONFIG
endif

# Shows the command as it could be typed, and runs it.
RUN = @set -- $(1); shown=; for word; do case $$word in *[!A-Za-z0-9_./:%=@+,~-]*|'') \
	word="'$$(printf %s "$$word" | sed "s/'/'\\\\''/g")'";; esac; shown="$$shown $$word"; done; \
	printf '%s\n' "$${shown\# }"; exec "$$@"

crawl: $(VENV)/.installed
ifneq ($(if $(URL)$(CONFIG),given),)
	$(call RUN,$(BIN)/morgue $(if $(CONFIG),--config "$$CONFIG") crawl $(if $(URL),"$$URL"))
else
	$(BIN)/python -m tests.demonstration
endif

test: $(VENV)/.test
	$(BIN)/python -m pytest -n auto --dist loadgroup $(PYTEST)

check: $(VENV)/.check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# pip is the last that comes into a new environment: one without it was left half-made, as Debian does without
# python3-venv.
$(BIN)/pip:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "morgue needs Python 3.11 or newer; try make PYTHON=python3.12 …")'
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(VENV)/.installed: requirements.lock pyproject.toml | $(BIN)/pip
	$(INSTALL) --require-hashes -r requirements.lock
	$(INSTALL) --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/.test: requirements-test.lock $(VENV)/.installed
	$(INSTALL) --require-hashes -r requirements-test.lock
	touch $@

$(VENV)/.check: requirements-check.lock $(VENV)/.test
	$(INSTALL) --require-hashes -r requirements-check.lock
	touch $@

# Writes the locks anew; needs uv. They name no index, so they install from whichever one pip is set up for.
UV_COMPILE := uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-header --no-annotate --quiet pyproject.toml
lock:
	$(UV_COMPILE) --all-extras --group build -o requirements.lock
	$(UV_COMPILE) --all-extras --group build --group test -o requirements-test.lock
	$(UV_COMPILE) --all-extras --group build --group test --group check -o requirements-check.lock

clean:
	rm -rf $(VENV) demo .pytest_cache .mypy_cache .ruff_cache .hypothesis
