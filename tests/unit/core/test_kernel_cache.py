"""A compiled kernel must not outlive a change in a file that it takes something from."""

from __future__ import annotations

import os
from pathlib import Path

from core.kernel_cache import drop_stale_caches


def touch(path: Path, at_s: int) -> Path:
    path.write_bytes(b"")
    os.utime(path, (at_s, at_s))
    return path


def test_indexes_older_than_any_source_go_and_newer_ones_stay(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    sources = [touch(tmp_path / "old.py", 1000), touch(tmp_path / "new.py", 2000), tmp_path / "missing.py"]
    touch(cache / "old.kernel-1.nbi", 1500)
    touch(cache / "new.kernel-1.nbi", 2500)
    touch(cache / "old.kernel-1.1.nbc", 1500)
    assert drop_stale_caches(cache, sources) == ["old.kernel-1.nbi"]
    assert sorted(path.name for path in cache.iterdir()) == ["new.kernel-1.nbi", "old.kernel-1.1.nbc"]


def test_only_the_indexes_of_one_file_may_be_asked_for(tmp_path: Path) -> None:
    sources = [touch(tmp_path / "new.py", 2000)]
    for name in ("one.f-1.nbi", "another_one.f-1.nbi"):
        touch(tmp_path / name, 1000)
    assert drop_stale_caches(tmp_path, sources, module="one") == ["one.f-1.nbi"]
    assert drop_stale_caches(tmp_path / "nowhere", sources) == []
