import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lute.arp.ccache import NotACacheError, Ticket, read_ticket
from tests.lute.arp.caches import REALM, cache, credential, with_ticket

GOOD = with_ticket(starts_s=1000, ends_s=4600, renewable_until_s=90_000)


def test_the_ticket_granting_ticket_is_found_among_others() -> None:
    assert read_ticket(GOOD) == Ticket(f"scientist@{REALM}", 1000, 4600, 90_000)


def test_a_time_without_the_flag_is_no_renewal() -> None:
    assert read_ticket(with_ticket(ends_s=5)) == Ticket(f"scientist@{REALM}", 0, 5, 0)


def test_of_several_the_longest_counts() -> None:
    tickets = [credential(f"krbtgt/{REALM}@{REALM}", ends_s=end) for end in (5, 9, 7)]
    found = read_ticket(cache(*tickets))
    assert found is not None
    assert found.ends_s == 9


def test_a_cache_may_be_empty() -> None:
    assert read_ticket(cache()) is None
    # A ticket for another realm gives none for this one.
    assert read_ticket(cache(credential(f"krbtgt/OTHER@{REALM}", ends_s=9))) is None


@pytest.mark.parametrize(("now_s", "is_possible"), [(4599, True), (4600, False), (99_000, False)])
def test_only_a_living_renewable_ticket_can_be_renewed(now_s: float, *, is_possible: bool) -> None:
    ticket = read_ticket(GOOD)
    assert ticket is not None
    assert ticket.can_be_renewed_at(now_s) is is_possible
    assert not Ticket("", 1000, 4600, 0).can_be_renewed_at(2000)
    assert not Ticket("", 1000, 4600, 4600).can_be_renewed_at(2000)


def test_half_a_cache_is_none_or_has_no_other_ticket() -> None:
    whole, refused = read_ticket(GOOD), 0
    for length in range(len(GOOD)):
        try:
            assert read_ticket(GOOD[:length]) in (None, whole)
        except NotACacheError:
            refused += 1
    # All but those that end right behind the owner or a ticket.
    assert refused == len(GOOD) - 3


@pytest.mark.parametrize("data", [b"", b"\x05", b"\x05\x03" + GOOD[2:], b"not a cache", GOOD + b"\0"])
def test_what_is_no_cache(data: bytes) -> None:
    with pytest.raises(NotACacheError):
        read_ticket(data)


@given(st.binary(max_size=300), st.integers(0, len(GOOD)))
def test_damage_raises_one_kind_of_error(damage: bytes, at: int) -> None:
    for data in (b"\x05\x04" + damage, GOOD[:at] + damage + GOOD[at + len(damage) :]):
        with contextlib.suppress(NotACacheError):
            read_ticket(data)
