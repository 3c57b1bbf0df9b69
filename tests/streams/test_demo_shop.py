from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from git import Repo

from streams import demo_reports, demo_shop


def test_the_traceback_of_the_report_is_what_the_shop_prints() -> None:
    body = demo_shop.ISSUES[0].body

    for path, line, code in re.findall(r'File "/srv/shop/(.+?)", line (\d+), in \w+\n +(.+)', body):
        assert demo_shop.FILES[path].splitlines()[int(line) - 1].strip() == code


def test_what_fails_of_the_shops_tests_is_what_is_reported(tmp_path: Path) -> None:
    remote = demo_shop.make_remote(tmp_path)
    Repo.clone_from(str(remote), tmp_path / "clone").close()

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path / "clone",
        capture_output=True,
        text=True,
        check=False,
    )

    failed = re.findall(r"^FAILED (\S+)", done.stdout, re.MULTILINE)
    assert failed == [
        "tests/test_shipping.py::test_shipping_is_free_from_exactly_fifty_euros",
        "tests/test_vouchers.py::test_a_voucher_is_good_on_its_last_day",
    ]
    assert failed[0] in demo_shop.ISSUES[1].body
    assert failed[1] in demo_reports.COMMAND
