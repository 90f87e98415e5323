"""TensorBoard events hold the numbers that were logged; without the extra, the error says which to install."""

import sys

import pytest

from ecop.core.errors import MissingExtra
from ecop.store.tensorboard import TensorBoardEvents


def test_events_are_read_back(tmp_path):
    record = pytest.importorskip("tensorboardX.record_writer")
    event = pytest.importorskip("tensorboardX.proto.event_pb2")
    with TensorBoardEvents(tmp_path) as events:
        events.log(3, psnr=31.5, loss=float("nan"))
    (file,) = tmp_path.iterdir()
    data, found = file.read_bytes(), []
    while data:  # TFRecord: length (8 bytes), its checksum (4), the record, its checksum (4)
        length = int.from_bytes(data[:8], "little")
        assert int.from_bytes(data[8:12], "little") == record.masked_crc32c(data[:8])
        message = event.Event.FromString(data[12 : 12 + length])
        found += [(message.step, value.tag, value.simple_value) for value in message.summary.value]
        data = data[16 + length :]
    assert found == [(3, "psnr", 31.5)]


def test_without_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(MissingExtra, match=r"pip install 'ecop\[tensorboard\]'"):
        TensorBoardEvents(tmp_path)
