"""Which name was meant, for refusals that help."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def meant(name: str, known: Iterable[str], *, prefix: str = "") -> str:
    """The names that are like one that is not known, to follow what is said of it; empty: there is none.

    ``prefix`` is shown before each and not compared: what all names share would make all of them alike.
    """
    near = difflib.get_close_matches(name, list(known), n=3, cutoff=0.6)
    return f"; did you mean {' or '.join(prefix + each for each in near)}?" if near else ""
