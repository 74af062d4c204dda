# Two commands do everything: `make crawl` and `make test`.
#
#   make crawl                       a demonstration on a bundled local newsroom
#   make crawl URL='https://…'       archive this article, or those of this feed, sitemap, section or home page
#   make crawl CONFIG=morgue.toml    crawl the sources of a configuration
#   make test                        every test, on SQLite and PostgreSQL
#   make check                       style, types and layering, and that the manual builds
#   make docs                        the manual as a site, in site/

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check

.PHONY: crawl test check docs lock clean

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

# Installs what a lock names, which is whole: with --no-deps pip neither works that out again nor warns of extras that
# others ask for, and what would lack all the same, `pip check` names. Shows how far it has come, and if it fails all that
# pip said. In a terminal the count stays in its line.
LOCKED = @echo 'Installing the libraries of $(1) into $(VENV), once:'; \
	all=$$(grep -c '^[A-Za-z0-9._-]*==' $(1)); log=$(VENV)/.pip.log; : > "$$log"; \
	{ $(INSTALL) --progress-bar off --no-deps --require-hashes -r $(1) 2>&1 \
		&& $(BIN)/python -m pip check --disable-pip-version-check 2>&1; echo "exit $$?"; } | { n=0; end=; \
		while IFS= read -r line; do printf '%s\n' "$$line" >> "$$log"; case $$line in \
			'Collecting '*|'Processing '*|'Requirement already '*|'Ignoring '*) n=$$((n + 1)); \
				if [ -t 1 ]; then printf '\r  %s of %s libraries fetched' "$$n" "$$all"; end='\n'; \
				elif [ $$((n % 20)) = 0 ]; then echo "  $$n of $$all libraries fetched"; fi;; \
			'Installing collected '*) printf "$$end  and now unpacked …\n"; end=;; \
			'exit 0') printf "$$end"; rm -f "$$log"; exit 0;; \
			'exit '*) printf "$$end"; cat "$$log" >&2; exit 1;; \
		esac; done; exit 1; }

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
	$(BIN)/zensical build --strict --clean

# The manual as a site, in site/, its tables as the code has them now.
docs: $(VENV)/.check
	$(BIN)/python -m tests.reference_pages
	$(BIN)/zensical build --strict --clean

# pip is the last that comes into a new environment: one without it was left half-made, as Debian does without
# python3-venv.
$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "morgue needs Python 3.11 or newer; try make PYTHON=python3.12 …")'
	@echo 'Making a Python environment in $(VENV) …'
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(VENV)/.installed: requirements.lock pyproject.toml | $(BIN)/pip
	$(call LOCKED,requirements.lock)
	@$(INSTALL) --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.test: requirements-test.lock $(VENV)/.installed
	$(call LOCKED,requirements-test.lock)
	@touch $@

$(VENV)/.check: requirements-check.lock $(VENV)/.test
	$(call LOCKED,requirements-check.lock)
	@touch $@

# Writes the locks anew; needs uv. They name no index, so they install from whichever one pip is set up for.
UV_COMPILE := uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-header --no-annotate --quiet pyproject.toml
lock:
	$(UV_COMPILE) --all-extras --group build -o requirements.lock
	$(UV_COMPILE) --all-extras --group build --group test -o requirements-test.lock
	$(UV_COMPILE) --all-extras --group build --group test --group check -o requirements-check.lock

clean:
	rm -rf $(VENV) demo site .pytest_cache .mypy_cache .ruff_cache .hypothesis
