# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# A machine needs make and Python 3.10 or later; everything else is installed into .venv.

# The newest Python that can make virtual environments. Those of pyenv are asked by their paths, since pyenv's shims
# fail for versions that are not active.
PYTHONS := $(foreach minor,14 13 12 11 10,$(wildcard $(HOME)/.pyenv/versions/3.$(minor).*/bin/python3) python3.$(minor)) python3
PYTHON ?= $(shell for python in $(PYTHONS); do \
	$$python -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 10))' 2>/dev/null && echo $$python && break; done)

BIN := .venv/bin
VENV := .venv/ready
# So many tests at a time, and WORKERS of those that wait for a server; CORES=0 runs one after the other.
CORES ?= $(shell nproc 2>/dev/null || echo 2)
WORKERS ?= $(shell expr 4 '*' $(CORES))
# So many of static, working and waiting go on side by side.
LANES ?= 3
PYTEST := $(BIN)/python -m pytest --dist loadgroup --numprocesses
ANSIBLE_TEST := $(BIN)/python tests/run_ansible_test.py
# Images of containers often forbid Python to keep what it compiled, and then each of some thousand processes compiles.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help
help: ## list these targets
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 20

$(VENV): tests/requirements.txt
	@test -n "$(PYTHON)" || { echo "No Python 3.10 or later with its venv module was found." >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --upgrade --requirement tests/requirements.txt
	touch $@

.PHONY: venv
venv: $(VENV) ## install what the other targets need

.PHONY: demo
demo: build ## run playbooks/demo.yml against the simulator, or against $VMWARE_HOST
	ANSIBLE_COLLECTIONS_PATH=.build/collections $(BIN)/ansible-galaxy collection install --offline --force .build/*.tar.gz
	$(BIN)/python -m tests.demo

.PHONY: picture
picture: build ## draw what the demo shows into docs/docsite/rst/demo.svg
	ANSIBLE_COLLECTIONS_PATH=.build/collections $(BIN)/ansible-galaxy collection install --offline --force .build/*.tar.gz
	$(BIN)/python -m tests.demo docs/docsite/rst/demo.svg

.PHONY: test
test: $(VENV) ## run every test: what takes a core beside what waits for servers
	$(MAKE) --jobs=$(LANES) --output-sync=recurse static working waiting

.PHONY: static
static: $(VENV) ## lint, docs and sanity
	$(MAKE) --jobs=1 lint docs sanity

.PHONY: working
working: $(VENV) ## the tests that take a core
	$(MAKE) --jobs=1 units contract

.PHONY: waiting
waiting: $(VENV) ## the tests that wait for servers
	$(MAKE) --jobs=1 playbooks cases sample models

.PHONY: lint
lint: $(VENV) ## check style and playbooks
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/yamllint --strict .
	$(BIN)/antsibull-changelog lint
	# mypy, and playbooks that name the collection's action group, have to find the collection.
	mkdir -p .build/checkout/ansible_collections/vsphere
	ln -sfn "$(CURDIR)" .build/checkout/ansible_collections/vsphere/content_library
	$(BIN)/mypy
	PATH="$(CURDIR)/$(BIN):$$PATH" ANSIBLE_COLLECTIONS_PATH=.build/checkout $(BIN)/ansible-lint

.PHONY: sanity
sanity: $(VENV) ## run ansible-test sanity, with CONTENT_LIBRARY_COSTLY=1 for each Python
	$(ANSIBLE_TEST) sanity --venv $(if $(CONTENT_LIBRARY_COSTLY),,--python $(shell $(BIN)/python -c 'import sys; print("%d.%d" % sys.version_info[:2])'))

.PHONY: units
units: $(VENV) ## run the unit tests
	$(PYTEST) $(CORES) tests/unit

.PHONY: contract
contract: $(VENV) ## hold client and simulator to the vendor's description of the API
	$(PYTEST) $(CORES) tests/contract

.PHONY: cases
cases: $(VENV) ## run every module against the simulator, in all that the contract says of it
	$(PYTEST) $(WORKERS) tests/cases

.PHONY: playbooks
playbooks: $(VENV) ## run playbooks against the simulator and, where Go is there, vcsim
	$(PYTEST) $(WORKERS) tests/playbooks

.PHONY: sample
sample: $(VENV) ## try a sample of the faults, kills and rivals
	$(PYTEST) $(WORKERS) tests/faults

.PHONY: models
models: $(VENV) ## try random sequences of tasks and events; CONTENT_LIBRARY_EXAMPLES=1000 tries so many others
	$(PYTEST) $(CORES) -rP tests/models

.PHONY: faults
faults: $(VENV) ## try all faults, kills and rivals, print figures and write them into docs/reliability.md
	$(BIN)/python -m tests.faults

.PHONY: mutants
mutants: $(VENV) ## break the code in 200 places, one at a time, and count what the tests notice
	$(BIN)/python -m tests.mutants

.PHONY: matrix
matrix: $(VENV) ## test on each supported ansible-core, and write what ran into docs/compatibility.md
	CONTENT_LIBRARY_COSTLY=1 WORKERS=$(WORKERS) $(BIN)/python -m tests.compatibility

.PHONY: soak
soak: $(VENV) ## run modules ten thousand times, and on 200 hosts at once
	$(BIN)/python -m tests.faults.soak
	CONTENT_LIBRARY_COSTLY=1 CONTENT_LIBRARY_HOSTS=200 CONTENT_LIBRARY_FORKS=50 $(BIN)/python -m pytest -s tests/playbooks/test_concurrency.py -k many_hosts

.PHONY: benchmark
benchmark: $(VENV) ## measure, print tables and write them into docs/performance.md
	$(BIN)/python -m tests.benchmark.run

.PHONY: return
return: $(VENV) ## write what RETURN of the modules says of models
	$(BIN)/python -m tests.update_return

.PHONY: docs
docs: build ## build the documentation into docs/_build/html
	rm -rf docs/_build
	mkdir -p docs/_build/rst/docsite docs/_build/rst/pages
	ANSIBLE_COLLECTIONS_PATH=docs/_build $(BIN)/ansible-galaxy collection install --offline --force \
		--collections-path docs/_build .build/*.tar.gz
	PATH="$(CURDIR)/$(BIN):$$PATH" ANSIBLE_COLLECTIONS_PATH=docs/_build $(BIN)/antsibull-docs collection --use-current \
		--squash-hierarchy --no-indexes --fail-on-error --dest-dir docs/_build/rst vsphere.content_library
	# It has the variables of plugins alone, and there is none.
	rm docs/_build/rst/environment_variables.rst
	cp docs/index.rst docs/_build/rst
	cp docs/docsite/rst/*.svg docs/_build/rst/docsite
	cp docs/*.md docs/_build/rst/pages
	$(BIN)/sphinx-build --builder html --conf-dir docs --fail-on-warning --keep-going --fresh-env --quiet \
		docs/_build/rst docs/_build/html

.PHONY: build
build: $(VENV) ## build the collection into .build
	rm -f .build/*.tar.gz
	$(BIN)/ansible-galaxy collection build --output-path .build

.PHONY: install
install: build ## install the collection for the user
	$(BIN)/ansible-galaxy collection install --offline --force .build/*.tar.gz
