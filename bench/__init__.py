"""Runnable measurements of the engine; each is a command, ``python -m bench.NAME``, with a small form for the tests."""
