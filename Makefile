# What there is to do here; `python workbook.py COMMAND` is the same where there is no make.
# Another Python: make lab PYTHON=/path/to/python3.12    More for pytest: make test ARGS="-x -k audio"
PYTHON ?= python3
ARGS ?=
RUN = @command -v $(PYTHON) >/dev/null 2>&1 || { echo "$(PYTHON) is not installed: install Python 3.11, 3.12 or 3.13, or name one: make PYTHON=/path/to/python" >&2; exit 1; }; exec $(PYTHON) workbook.py

.PHONY: help lab test test-colab notebooks site slides model bench lock lint
.DEFAULT_GOAL := help

help:  ## say what there is to do
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' Makefile | while IFS='|' read -r name words; do printf '  make %-11s %s\n' "$$name" "$$words"; done

lab:  ## open the first lesson in JupyterLab
	$(RUN) lab $(ARGS)

test:  ## run every test and every notebook
	$(RUN) test $(ARGS)

test-colab:  ## run every notebook with the versions of Google Colab
	$(RUN) test-colab $(ARGS)

notebooks:  ## build both editions of every lesson from notebooks/source
	$(RUN) notebooks $(ARGS)

site:  ## write the executed lessons as a web site to _site, for any server or disk
	$(RUN) site $(ARGS)

slides:  ## write the executed lessons as slides to _slides, a file each, for any browser
	$(RUN) slides $(ARGS)

model:  ## train a model by the shipped one's recipe, from the bundled clips
	$(RUN) model $(ARGS)

bench:  ## measure it beside its peers, into benchmarks/RESULTS.md
	$(RUN) bench $(ARGS)

lock:  ## write the versions that are installed here to requirements.lock
	$(RUN) lock $(ARGS)

lint:  ## look for mistakes of style
	$(RUN) lint $(ARGS)
