"""The campaign of lossy commands, as much of it as fits into the test command."""

from flight.links.mavlink.command import RetryClass
from tests.campaign.lossy_commands import COMMANDS, campaign


def test_three_hundred_bad_conversations() -> None:
    tally = campaign(300, seed=50_000)
    assert tally.wrong == []
    # The test must be able to fail: commands were lost, answered, executed and, where harmless, repeated.
    assert tally.repeated_idempotent > 20
    for retry in {retry for _, retry in COMMANDS}:
        for rest in ("answered executed 1", "unanswered executed 0", "unanswered executed 1"):
            assert tally.calls[f"{retry.value} {rest}"] > 0, f"{retry}: never {rest}"


def test_the_campaign_notices_a_command_that_is_repeated(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr("tests.campaign.lossy_commands.COMMANDS", ((42600, _Careless.NEVER),))
    monkeypatch.setattr("flight.links.mavlink.command.RetryClass", _Careless)
    assert campaign(40, seed=1).wrong


class _Careless:
    """A world in which «never» is repeated like everything else."""

    class _Never(str):
        value = "never"

    NEVER = IDEMPOTENT = LOOK_BEFORE_EACH = _Never("never")
    assert RetryClass.NEVER.value == "never"
