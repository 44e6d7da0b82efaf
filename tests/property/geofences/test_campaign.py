"""A small round of the campaign, so that the test command asks thousands and the campaign keeps working."""

from __future__ import annotations

from tests.campaign.geofence_questions import run


def test_thousands_of_questions_have_no_wrong_answer():
    assert run(questions=12_000, segments=120, seed=20261121, zones=60, per_round=4_000) == 0
