"""What the authority remembers of tokens, and the key that virtual worlds share."""

import pytest

from simulators.jid import tokens as tokens_module
from simulators.jid.tokens import TokenAuthority, TokenRefused, shared_key
from tests.fakes import FakeClock


def test_worlds_of_one_process_take_each_others_tokens_and_nobody_elses() -> None:
    clock = FakeClock()
    first, second = (TokenAuthority(clock, shared_key()) for _ in range(2))
    bearer = f"Bearer {first.issue('u', 'exp', lifetime_min=1)}"
    assert second.check(bearer, experiment="exp", user="u").user == "u"
    with pytest.raises(TokenRefused, match="signature is wrong"):
        TokenAuthority(clock).check(bearer, experiment="exp", user="u")


def test_a_token_is_the_same_for_the_same_key_and_moment() -> None:
    issued = {TokenAuthority(FakeClock(), shared_key()).issue("u", "exp", lifetime_min=1) for _ in range(2)}
    assert len(issued) == 1


def test_what_was_verified_once_is_still_for_one_user_and_one_experiment() -> None:
    authority = TokenAuthority(FakeClock(), shared_key())
    bearer = f"Bearer {authority.issue('u', 'exp', lifetime_min=1)}"
    authority.check(bearer, experiment="exp", user="u")
    for experiment, user in (("other", "u"), ("exp", "v")):
        with pytest.raises(TokenRefused) as caught:
            authority.check(bearer, experiment=experiment, user=user)
        assert caught.value.http_status == 403


def test_memory_for_tokens_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens_module, "_MOST_REMEMBERED", 2)
    authority = TokenAuthority(FakeClock(), shared_key())
    for user in "abcde":
        bearer = f"Bearer {authority.issue(user, 'exp', lifetime_min=1)}"
        assert authority.check(bearer, experiment="exp", user=user).user == user
        assert len(authority._verified) <= 2
