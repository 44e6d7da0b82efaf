"""A compiled kernel must not outlive a change in a file it calls."""

from __future__ import annotations

import os
import re
from pathlib import Path

import sitl
from sitl.kernel_cache import KERNEL_FILES, drop_stale_caches


def test_indexes_older_than_any_kernel_file_go_and_newer_ones_stay(tmp_path: Path) -> None:
    cache = tmp_path / "__pycache__"
    cache.mkdir()
    for name in KERNEL_FILES:
        (tmp_path / name).write_text("", encoding="utf-8")
        os.utime(tmp_path / name, (1000, 1000))
    os.utime(tmp_path / "air.py", (2000, 2000))
    for name, age_s in (("physics._move-1.nbi", 1500), ("air.blow-2.nbi", 2500)):
        (cache / name).write_bytes(b"")
        os.utime(cache / name, (age_s, age_s))
    assert drop_stale_caches(tmp_path) == ["physics._move-1.nbi"]
    assert [path.name for path in cache.iterdir()] == ["air.blow-2.nbi"]


def test_every_file_with_a_kernel_is_watched() -> None:
    folder = Path(sitl.__file__).parent
    compiled = {
        path.name
        for path in folder.glob("*.py")
        if re.search(r"^@njit", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert set() < compiled <= set(KERNEL_FILES)
