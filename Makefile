.PHONY: setup test demo check
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

demo: setup
	.venv/bin/bugstream demo $(if $(KEEP),--keep)
