import jwt
import pytest

from lute.arp.token import token_expiry
from simulators.jid.tokens import TokenAuthority, TokenRefused
from tests.fakes import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def authority(clock: FakeClock) -> TokenAuthority:
    return TokenAuthority(clock)


def test_a_token_has_the_arps_claims_and_key_id(authority: TokenAuthority) -> None:
    token = authority.issue("u", "exp", lifetime_min=10)
    claims = jwt.decode(token, options={"verify_signature": False})
    assert set(claims) == {"iss", "sub", "name", "iat", "exp", "scp"}
    assert (claims["iss"], claims["sub"], claims["scp"]) == ("PCDS", "u", "exp")
    assert claims["exp"] - claims["iat"] == 600
    header = jwt.get_unverified_header(token)
    assert (header["alg"], header["kid"]) == ("RS256", "PCDS_ARP")


def test_a_good_token_is_taken_until_it_expires(authority: TokenAuthority, clock: FakeClock) -> None:
    bearer = f"Bearer {authority.issue('u', 'exp', lifetime_min=10)}"
    clock.sleep(599)
    assert authority.check(bearer, experiment="exp", user="u").user == "u"
    clock.sleep(1)
    with pytest.raises(TokenRefused, match="expired") as caught:
        authority.check(bearer, experiment="exp", user="u")
    assert caught.value.http_status == 401


@pytest.mark.parametrize(
    ("experiment", "user", "reason"),
    [("other", "u", "for experiment exp, not other"), ("exp", "v", "for user u, not v")],
)
def test_another_experiment_or_user_is_403(
    authority: TokenAuthority, experiment: str, user: str, reason: str
) -> None:
    bearer = f"Bearer {authority.issue('u', 'exp', lifetime_min=10)}"
    with pytest.raises(TokenRefused, match=reason) as caught:
        authority.check(bearer, experiment=experiment, user=user)
    assert caught.value.http_status == 403


def test_what_is_no_token_of_this_authority_is_401(authority: TokenAuthority, clock: FakeClock) -> None:
    foreign = TokenAuthority(clock).issue("u", "exp", lifetime_min=10)
    unsigned = jwt.encode({"sub": "u", "exp": 4e9, "scp": "exp"}, "", algorithm="none")
    symmetric = jwt.encode({"sub": "u", "exp": 4e9, "scp": "exp"}, "k" * 32, algorithm="HS256")
    good = authority.issue("u", "exp", lifetime_min=10)
    for bad in (None, "", "Bearer", "Bearer ", f"Basic {good}", good, "Bearer x.y.z", f"Bearer {foreign}",
                f"Bearer {unsigned}", f"Bearer {symmetric}", f"Bearer {good}x"):  # fmt: skip
        with pytest.raises(TokenRefused) as caught:
            authority.check(bad, experiment="exp", user="u")
        assert caught.value.http_status == 401, bad


def test_no_token_lives_longer_than_the_authority_says(authority: TokenAuthority, clock: FakeClock) -> None:
    authority.longest_min = 1.0
    token = authority.issue("scientist", "exp", lifetime_min=300)
    short = authority.issue("scientist", "exp", lifetime_min=0.5)
    assert authority.issued == [token, short]
    assert token_expiry(token) == clock.now().timestamp() + 60
    assert token_expiry(short) == clock.now().timestamp() + 30
