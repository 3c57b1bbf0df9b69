"""Control groups of both versions, as files; the escape suite shows that the kernel obeys."""

from __future__ import annotations

from pathlib import Path

from connectors.cgroups import ControlGroup, make_group


def test_version_1_has_a_folder_for_each_controller(tmp_path: Path) -> None:
    for controller in ("memory", "pids", "cpuacct"):
        (tmp_path / controller / "own").mkdir(parents=True)
    group = make_group(tmp_path, "4:memory:/own\n3:pids:/\n2:cpuacct,cpu:/own\n0::/\n")

    assert group is not None
    group.limit(memory_bytes=1000, processes=7)
    (memory,) = (tmp_path / "memory/own").glob("bugstream-*")
    (pids,) = (tmp_path / "pids").glob("bugstream-*")
    assert (memory / "memory.limit_in_bytes").read_text() == "1000"
    assert (pids / "pids.max").read_text() == "7"
    assert len(group.joins) == 3


def test_version_2_makes_a_sibling_where_limits_are_handed_down(tmp_path: Path) -> None:
    (tmp_path / "system.slice/bugstream.service").mkdir(parents=True)
    (tmp_path / "system.slice/cgroup.subtree_control").write_text("cpu memory pids\n")
    group = make_group(tmp_path, "0::/system.slice/bugstream.service\n")

    assert group is not None
    group.limit(memory_bytes=1000, processes=7)
    (made,) = (tmp_path / "system.slice").glob("bugstream-sandbox-*")
    (made / "cpu.stat").write_text("usage_usec 1500000\nuser_usec 1\n")
    assert (made / "memory.max").read_text() == "1000"
    assert (made / "pids.max").read_text() == "7"
    assert group.cpu_s() == 1.5
    assert group.joins == [str(made / "cgroup.procs")]


def test_without_the_controllers_there_is_no_group(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/cgroup.subtree_control").write_text("cpu\n")

    assert make_group(tmp_path, "0::/a/b\n") is None


def test_what_a_killed_process_left_behind_is_swept_away(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "cgroup.subtree_control").write_text("memory pids\n")
    left = tmp_path / "bugstream-sandbox-999999999-0"
    left.mkdir()

    group = make_group(tmp_path, "0::/own\n")

    assert group is not None
    assert not left.exists()
    group.remove()
    assert list(tmp_path.glob("bugstream-sandbox-*")) == []


def test_processor_time_of_version_1_is_in_nanoseconds(tmp_path: Path) -> None:
    (tmp_path / "cpuacct.usage").write_text("2500000000\n")

    assert ControlGroup((tmp_path, tmp_path, tmp_path), unified=False).cpu_s() == 2.5
