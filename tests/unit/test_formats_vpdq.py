"""Both orders of vPDQ are read and written, and never mixed up."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haechi.errors import InvalidDocument
from haechi.fingerprint import Frame, Pdq, frames
from haechi.formats import vpdq
from haechi.formats.vpdq import Order

HEX = "9c151c3af838278e3ef57c180c7d031c07aefd12f2ccc1e18f2a1e1c7d0ff163"
CPP = f"0,100,{HEX},0.000\n30,98,{HEX[::-1]},1.001\n"
PYTHON = f"{HEX},100,0.000\n{HEX[::-1]},98,1.001\n"

some_frames = st.lists(
    st.builds(
        Frame,
        st.integers(0, 10**7).map(lambda ms: ms / 1000),
        st.builds(Pdq, st.binary(min_size=32, max_size=32), st.integers(0, 100)),
    )
).map(lambda found: sorted(found, key=lambda frame: frame.seconds))


@pytest.mark.parametrize("text", [CPP, PYTHON, CPP.upper(), PYTHON.replace("\n", "\r\n\r\n")])
def test_both_orders_say_the_same(text: str) -> None:
    first, second = vpdq.read(text)
    assert first == Frame(0.0, Pdq(bytes.fromhex(HEX), 100))
    assert (second.seconds, second.pdq.quality, second.pdq.hex) == (1.001, 98, HEX[::-1])


def test_the_list_of_the_python_package_is_read() -> None:
    assert vpdq.read(json.dumps(PYTHON.split())) == vpdq.read(PYTHON)


def test_what_is_written_is_what_those_programs_write() -> None:
    found = vpdq.read(PYTHON)
    assert vpdq.write(found, Order.PYTHON) == PYTHON
    assert vpdq.write(found, Order.CPP) == CPP.replace("30,98", "1,98")


@given(some_frames, st.sampled_from(Order))
def test_nothing_is_lost_on_the_way(found: list[Frame], order: Order) -> None:
    assert vpdq.read(vpdq.write(found, order)) == tuple(found)
    assert frames.unpack(frames.pack(found)) == tuple(found)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (CPP + PYTHON, 3),
        (PYTHON + CPP, 3),
        (f"0,{HEX},100,0.000", 1),
        (f"{PYTHON}100,{HEX},1.5", 3),
        (f"{HEX},101,0.0", 1),
        (f"{HEX},-1,0.0", 1),
        (f"{HEX},99.5,0.0", 1),
        (f"{HEX},99,-1", 1),
        (f"{HEX},99,nan", 1),
        (f"{HEX},99,1e5", 1),
        (f"{HEX[:-1]},99,1", 1),
        (f"{HEX},99,1,2", 1),
        (f"{HEX},99,{HEX},1", 1),
        (f"-1,99,{HEX},1", 1),
        (f"{HEX},99,5\n{HEX},99,4", 2),
        ("frame,quality,hash,time", 1),
        ('["a", 1]', 1),
        ("[[", 1),
        ("[" * 100_000, 1),
        (f"٣,99,{HEX},1", 1),
    ],
)
def test_anything_else_is_refused_by_its_line(text: str, line: int) -> None:
    with pytest.raises(InvalidDocument, match=f"line {line}:"):
        vpdq.read(text)


def test_an_empty_text_has_no_frames() -> None:
    assert vpdq.read("\n \n") == ()
    assert vpdq.read("[]") == ()
