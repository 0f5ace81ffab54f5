"""Hash lists: python-threatexchange's form, read with suspicion, written so that nothing runs."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haechi.formats import hashlist
from haechi.formats.hashlist import Category, Listed, Malformed

PDQ = "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22"
HEAD = "signal_type,signal_str,collab,category,tags\r\n"


def test_what_threatexchange_writes_is_read() -> None:
    """As csv.DictWriter writes it in its dataset command."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(hashlist.COLUMNS))
    writer.writeheader()
    for kind, signal, collab, category, tags in [
        ("pdq", PDQ, "Sample, Signals", "POSITIVE_CLASS", "a b"),
        ("video_md5", "cab08b36195edb1a1231d2d09fa450e0", "Sample", "INVESTIGATION_SEED", ""),
    ]:
        writer.writerow(
            dict(zip(hashlist.COLUMNS, (kind, signal, collab, category, tags), strict=True))
        )
    first, second = hashlist.read(io.StringIO(out.getvalue(), newline=""))
    assert first == Listed(
        "pdq", bytes.fromhex(PDQ), "Sample, Signals", Category.POSITIVE, ("a", "b"), 2
    )
    assert isinstance(second, Listed)
    assert (second.signal_type, second.category, second.tags) == ("video_md5", Category.SEED, ())


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (f"pdq,{PDQ},a,POSITIVE_CLASS", "4 cells"),
        (f"pdq,{PDQ[:-1]},a,POSITIVE_CLASS,", "no pdq"),
        (f"video_md5,{PDQ},a,POSITIVE_CLASS,", "no video_md5"),
        ("url,https://e.example,a,POSITIVE_CLASS,", "'url' is not kept here"),
        (f"pdq,{PDQ},a,TRUE_POSITIVE,", "'TRUE_POSITIVE' is none of"),
        (f"pdq,{PDQ},a\x00b,POSITIVE_CLASS,", "control"),
        (f"pdq,{PDQ},{'a' * 81},POSITIVE_CLASS,", "collab is longer"),
        (f"pdq,{PDQ},a,POSITIVE_CLASS,{'t' * 9000}", "longer than 8192"),
        (f'pdq,{PDQ},"a,POSITIVE_CLASS,', "no CSV"),
        ("\udcff", "cells"),
    ],
)
def test_a_malformed_line_is_named_and_costs_no_other(line: str, why: str) -> None:
    good = f"pdq,{PDQ},a,POSITIVE_CLASS,\r\n"
    first, bad, last = hashlist.read([HEAD, good, line + "\n", good])
    assert isinstance(first, Listed)
    assert isinstance(bad, Malformed)
    assert bad.line == 3
    assert why in bad.why
    assert isinstance(last, Listed)
    assert last.line == 4


@pytest.mark.parametrize("head", ["", "pdq,a,b,c,d\n", "signal_type;signal_str\n"])
def test_without_its_header_nothing_is_guessed(head: str) -> None:
    [answer] = hashlist.read([head, f"pdq,{PDQ},a,POSITIVE_CLASS,\n"])
    assert isinstance(answer, Malformed)
    assert answer.line == 1


def test_a_byte_order_mark_and_empty_lines_are_passed_over() -> None:
    assert (
        len(list(hashlist.read(["\ufeff" + HEAD, "\r\n", f"pdq,{PDQ},a,POSITIVE_CLASS,\n"]))) == 1
    )


# As cells are read: no blank ends, printable.
CELL = st.text(st.characters(exclude_categories=["C", "Z"]), max_size=20)
TAGS = st.lists(
    st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=8), max_size=3
)


@given(CELL, st.sampled_from(Category), TAGS, st.binary(min_size=32, max_size=32))
def test_what_is_written_is_read_again_and_runs_in_no_spreadsheet(
    collab: str, category: Category, tags: list[str], signal: bytes
) -> None:
    listed = Listed("pdq", signal, collab, category, tuple(tags))
    text = hashlist.header() + hashlist.line(listed)
    for cell in list(csv.reader(io.StringIO(text, newline="")))[1]:
        assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    [again] = hashlist.read(io.StringIO(text, newline=""))
    assert again == Listed("pdq", signal, collab, category, tuple(tags), 2)


@given(st.lists(st.text(max_size=200), max_size=5))
def test_whatever_stands_there_no_foreign_exception_comes_out(lines: list[str]) -> None:
    for answer in hashlist.read([HEAD, *lines]):
        assert isinstance(answer, Listed | Malformed)


def test_an_endless_line_is_one_malformed_line() -> None:
    good = f"pdq,{PDQ},a,POSITIVE_CLASS,\n"
    text = HEAD.replace("\r", "") + good + "x" * 100_000 + "\n" + good + good.rstrip("\n")
    lines = list(hashlist.lines_of(io.StringIO(text)))
    assert max(map(len, lines)) <= hashlist.LINE_LIMIT + 2
    kinds = [type(one).__name__ for one in hashlist.read(lines)]
    assert kinds == ["Listed", "Malformed", "Listed", "Listed"]
