# make run    everything on this machine, with the simulated demo study (PORT=8000, HOST=127.0.0.1)
# make test   all checks and tests, on SQLite, on PostgreSQL and in a real browser
# make setup  the environment only
PYTHON ?= python3
VENV_PYTHON = .venv/bin/python

.PHONY: run setup dev python test test-r check rooms bench messages prove-disclosure prove-faults prove-kills prove-troubles prove-unlinkable prove-fuzz requirements docs pictures wheel help
.DEFAULT_GOAL := help

help:
	@sed -n 's/^# make/make/p' Makefile

run: setup
	@$(VENV_PYTHON) -m scripts.run

setup: python
	@$(PYTHON) scripts/setup.py

dev: python
	@$(PYTHON) scripts/setup.py --dev

python:
	@command -v $(PYTHON) >/dev/null || \
	  { echo "Teamspiegel: there is no '$(PYTHON)' here: install Python 3.11 or newer, or name one: PYTHON=python3.12."; exit 1; }

test: dev
	@$(VENV_PYTHON) -m scripts.test

# make test-r the exported R script finds the page's numbers in R, PSPP reads the .sav (needs Rscript with lavaan and psych; pspp)
test-r: dev
	@$(VENV_PYTHON) -m pytest tests/r/r_script.py tests/r/sav_file.py -q

# make check  formatting, types, arrows between the apps, templates, migrations, settings, translations, licences
check: dev
	@$(VENV_PYTHON) -m scripts.check

# make rooms  count the rooms of the house from the imports, and draw them into docs/architecture.md
rooms: dev
	@$(VENV_PYTHON) -m scripts.rooms

# make wheel  the psychometrics engine as a package of its own, into var/dist
wheel: dev
	@cd analysis/psychometrics && $(CURDIR)/$(VENV_PYTHON) -m hatchling build -t wheel -d $(CURDIR)/var/dist

# make docs  docs/ as a site, into var/site: open var/site/index.html, no server is needed
docs: dev
	@$(VENV_PYTHON) -m sphinx -q -W --keep-going -c docs . var/site
	@echo "var/site/index.html"

# make pictures  the pictures of the handbook and of README, taken of the demo in Chromium
pictures: dev
	@$(VENV_PYTHON) -m scripts.pictures

# make requirements  requirements/*.txt from requirements/*.in: versions stay as they are unless UPGRADE=all or UPGRADE=django
COMPILE = .venv/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate \
  --custom-compile-command "make requirements" \
  $(if $(filter all,$(UPGRADE)),--upgrade,$(if $(UPGRADE),--upgrade-package $(UPGRADE)))
requirements: dev
	@$(COMPILE) requirements/base.in -o requirements/base.txt
	@$(COMPILE) requirements/dev.in -c requirements/base.txt -o requirements/dev.txt
	@$(COMPILE) requirements/node.in -o requirements/node.txt

# make bench  every benchmark of bench/; make bench-NAME for one
bench: dev
	@$(VENV_PYTHON) -m scripts.bench

bench-%: dev
	@$(VENV_PYTHON) -m scripts.bench $*

# make messages  collect the interface texts into locale/
messages: setup
	@$(VENV_PYTHON) -m scripts.messages update

# make prove-disclosure  10,000 histories of publications and all small universes against the attackers: 0 disclosures
#   (HISTORIES=100000; MINUTES=20: as many as can be begun in that time; what was tried with the same code, by
#   docs/proofs/disclosure.csv, is left out, unless AFRESH=1)
MINUTES ?= inf
HISTORIES ?= 10000
prove-disclosure: dev
	@$(VENV_PYTHON) -m tests.disclosure.prove --minutes $(MINUTES) --histories $(HISTORIES) $(if $(AFRESH),--afresh)

# make prove-faults  teachers answer while programs are killed, and while mail, broker, database, disk, a key and a proxy fail
prove-faults: prove-kills prove-troubles

prove-kills: dev
	@$(VENV_PYTHON) -m bench.faults

prove-troubles: dev
	@$(VENV_PYTHON) -m bench.troubles

# make prove-fuzz  odd requests to every address, none may be answered by a fault (EACH=40 rounds each, SEED=date)
EACH ?= 40
SEED ?= $(shell date +%F)
prove-fuzz: dev
	@echo "seed $(SEED), $(EACH) rounds"; FUZZ_EACH=$(EACH) FUZZ_SEED=$(SEED) $(VENV_PYTHON) -m pytest -p no:cacheprovider -n 2 tests/access/test_fuzz.py

# make prove-unlinkable  many studies of twenty teams against an attacker who holds everything: nobody is linked to an answer
prove-unlinkable: dev
	@$(VENV_PYTHON) -m tests.surveys.prove
