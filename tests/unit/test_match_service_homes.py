"""Homes are a dictionary in four bytes a member."""

from hypothesis import given
from hypothesis import strategies as st

from haechi.match_service.homes import Home, Homes

ids = st.integers(0, 200) | st.integers(65_500, 65_600) | st.integers(2**40, 2**40 + 5)
homes = st.tuples(st.integers(1, 4), st.sampled_from(["", "here", "ring"]))


@given(st.lists(st.tuples(ids, homes | st.none()), max_size=80), st.sets(st.integers(1, 4)))
def test_they_are_where_they_were_put_last(
    acts: list[tuple[int, Home | None]], banks: set[int]
) -> None:
    made, plain = Homes(), dict[int, Home]()
    for member, home in acts:
        if home is None:
            made.remove(member)
            plain.pop(member, None)
        else:
            made.put(member, home)
            plain[member] = home
    assert {member: made.get(member) for member, _ in acts if made.get(member)} == plain
    away = {member for member, home in plain.items() if home[0] not in banks}
    assert sorted(made.outside(banks)) == sorted(away)
