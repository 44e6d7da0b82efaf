"""Long runs of the same questions that the tests ask, by hand: ``python -m tests.campaign.<name>``."""
