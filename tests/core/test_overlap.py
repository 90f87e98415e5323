"""Stages that overlap: the same results in the same order, a bounded number under way, and nothing left half done."""

import threading
import time
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecop.core.overlap import overlapped


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 4), max_size=12), st.integers(1, 4))
def test_the_same_results_in_the_same_order(numbers, waiting):
    """An item fails in each of the stages; what comes out is what a plain loop gives."""

    def read(n):
        if n == 1:
            raise ValueError("read")
        return n * 10

    def compute(n, read):
        if n == 2:
            raise KeyError("compute")
        return read + n

    def write(n, computed):
        if n == 3:
            raise OSError("write")
        return str(computed)

    found = []
    for n, future in overlapped(numbers, read, compute, write, waiting):
        error = future.exception()
        found.append((n, type(error) if error else future.result()))
    expected = {0: "0", 1: ValueError, 2: KeyError, 3: OSError, 4: "44"}
    assert found == [(n, expected[n]) for n in numbers]


def test_no_more_than_a_few_are_under_way():
    under_way, most, lock = 0, 0, threading.Lock()

    def count(by):
        nonlocal under_way, most
        with lock:
            under_way += by
            most = max(most, under_way)

    def compute(n, read):
        time.sleep(0.005)  # slower than reading, which would run ahead if it could
        count(-1)
        return read

    for waiting in (1, 2):
        most = 0
        list(overlapped(range(20), lambda n: count(1), compute, lambda n, read: n, waiting))
        assert 2 <= most <= waiting + 2  # those that wait, the one that is read, the one that is computed


def test_stages_overlap():
    """Each stage waits for another item's stage beside it, which a loop one after another would never reach."""
    reading, writing = threading.Event(), threading.Event()

    def read(n):
        if n == 1:
            reading.set()
        return n

    def compute(n, read):
        if n == 0:
            assert reading.wait(10)
        if n == 1:
            assert writing.wait(10)
        return n

    def write(n, computed):
        if n == 0:
            writing.set()
        return n

    assert [future.result() for _, future in overlapped(range(3), read, compute, write)] == [0, 1, 2]


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_waits_for_what_is_being_written_and_drops_the_rest(error):
    begun, ended, may_end = [], [], threading.Event()

    def compute(n, read):
        if n == 2:
            may_end.set()
            raise error
        return n

    def write(n, computed):
        begun.append(n)
        may_end.wait(10)
        time.sleep(0.01)
        ended.append(n)

    with pytest.raises(error), closing(overlapped(range(9), lambda n: n, compute, write)) as fits:
        for _ in fits:
            pass
    assert begun == ended
    assert set(ended) <= {0, 1}
    assert not [thread for thread in threading.enumerate() if thread.name.startswith(("read_", "write_"))]


def test_whoever_stops_listening_stops_the_work():
    read = []
    with closing(overlapped(range(100), lambda n: read.append(n), lambda n, _: n, lambda n, _: n)) as fits:
        next(fits)
    assert len(read) <= 6
