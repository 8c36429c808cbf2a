# What there is to do here. `make lab` and `make test` do all of their own set-up.
# Another Python: make lab PYTHON=/path/to/python3.12    More for pytest: make test ARGS="-x -k audio"
PYTHON ?= python3
ARGS ?=
SETUP = @command -v $(PYTHON) >/dev/null 2>&1 || { echo "$(PYTHON) is not installed: install Python 3.11, 3.12 or 3.13, or name one: make PYTHON=/path/to/python" >&2; exit 1; }; $(PYTHON) tools/bootstrap.py
VENV = .venv/bin/python

.PHONY: help lab test test-colab notebooks site model lint
.DEFAULT_GOAL := help

help:  ## say what there is to do
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' Makefile | while IFS='|' read -r name words; do printf '  make %-11s %s\n' "$$name" "$$words"; done

lab:  ## open the first lesson in JupyterLab
	$(SETUP) lab
	@exec $(VENV) tools/lab.py $(ARGS)

test:  ## run every test and every notebook
	$(SETUP) test
	@$(VENV) tools/programs.py
	@$(VENV) -m pytest -n 3 --dist loadscope --no-loadscope-reorder $(ARGS)

test-colab:  ## run every notebook with the versions of Google Colab
	$(SETUP) colab
	@.venv-colab/bin/python tools/colab.py $(ARGS)

notebooks:  ## build both editions of every lesson from notebooks/source
	$(SETUP) test
	@$(VENV) -m course_lib.instructor.authoring build $(ARGS)

site:  ## write the executed lessons as a web site to _site, for any server or disk
	$(SETUP) test
	@$(VENV) -m tools.site $(ARGS)

model:  ## train the shipped model again from the bundled clips
	$(SETUP) lab
	@$(VENV) -m course_lib train --out data/models $(ARGS)

lint:  ## look for mistakes of style
	$(SETUP) test
	@$(VENV) -m ruff check . && $(VENV) -m ruff format --check .
