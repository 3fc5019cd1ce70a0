"""A run's token, given or in an Airflow Variable."""

import pytest

from lute.errors import ConfigError
from lute.operators import tokens
from lute.operators.tokens import RunToken


@pytest.fixture
def masked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What Airflow was told to keep out of its logs."""
    found: list[str] = []
    monkeypatch.setattr(tokens, "mask_secret", found.append)
    return found


@pytest.mark.parametrize("authorization", ["Bearer secret", "secret"])
def test_a_token_is_returned_as_it_is_and_masked(masked: list[str], authorization: str) -> None:
    token = RunToken(authorization)
    assert not token.is_renewed
    assert token() == token.last == authorization
    assert masked == ["secret"]


def test_a_variable_is_read_each_time(masked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    variables = {"lute_token_x": "Bearer first"}
    monkeypatch.setattr(tokens, "variable", variables.get)
    token = RunToken("variable:lute_token_x")
    assert (token.is_renewed, token.last) == (True, "")
    assert token() == token.last == "Bearer first"
    variables["lute_token_x"] = "Bearer second"
    assert token.last == "Bearer first"
    assert token() == token.last == "Bearer second"
    assert token() == "Bearer second"
    assert masked == ["first", "second"], "each once"


def test_a_variable_that_is_gone_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "variable", lambda _name: None)
    with pytest.raises(ConfigError) as caught:
        RunToken("variable:lute_token_x")()
    assert caught.value.what == "there is no Airflow Variable lute_token_x, which shall hold the run's token"
    assert caught.value.next_step == "its launcher removes it at its end: launch again"
