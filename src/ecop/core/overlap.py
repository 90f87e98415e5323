"""Work on many items, one after another, in stages that overlap: while one is computed, the next is read already."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")
Read = TypeVar("Read")
Computed = TypeVar("Computed")
Done = TypeVar("Done")

_END: Any = object()


def overlapped(
    items: Iterable[T],
    read: Callable[[T], Read],
    compute: Callable[[T, Read], Computed],
    write: Callable[[T, Computed], Done],
    waiting: int = 2,
) -> Generator[tuple[T, Future[Done]], None, None]:
    """``write(item, compute(item, read(item)))`` for each item, in their order.

    ``read`` and ``write`` run in a thread of their own each, one item at a time, ``compute`` in the caller's. An
    exception of any stage is that item's result; the others go on. Whatever ends the iteration early, Ctrl-C too, waits
    for what is being read and written at that moment, and drops the rest.

    Args:
        items: what to work on.
        read: the first stage.
        compute: the second.
        write: the last.
        waiting: most items that wait between two stages, so that memory stays that of a few.

    Yields:
        Each item, and the future of its last stage, which may still be under way.

    Example:
        >>> found = overlapped([1, 0, 4], lambda n: 12 / n, lambda n, share: share + n, lambda n, sum: f"{sum:.0f}")
        >>> [future.exception() or future.result() for _, future in found]
        ['13', ZeroDivisionError('division by zero'), '7']
    """
    reader, writer = (ThreadPoolExecutor(1, thread_name_prefix=name) for name in ("read", "write"))
    coming: deque[tuple[T, Future[Read]]] = deque()
    going: deque[tuple[T, Future[Done]]] = deque()
    rest = iter(items)
    try:
        while True:
            while len(coming) <= waiting and (item := next(rest, _END)) is not _END:
                coming.append((item, reader.submit(read, item)))
            if not coming:
                break
            item, ready = coming.popleft()
            try:
                computed = compute(item, ready.result())
            except Exception as error:
                going.append((item, _failed(error)))
            else:
                while going and going[0][1].done():  # whoever stops at a failure stops before the next is written
                    yield going.popleft()
                going.append((item, writer.submit(write, item, computed)))
                del computed
            while going and (len(going) > waiting or going[0][1].done()):
                yield going.popleft()
        while going:
            yield going.popleft()
    finally:
        for stage in (reader, writer):
            stage.shutdown(cancel_futures=True)


def _failed(error: Exception) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_exception(error)
    return future
