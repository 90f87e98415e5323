import numpy as np
import pytest

from ecop.data.packed import Packed
from ecop.signals import Image


@pytest.mark.parametrize(("bits", "dtype"), [(8, np.uint8), (16, np.uint16), (32, np.float32)])
def test_packing_loses_nothing_and_is_as_narrow_as_can_be(bits, dtype):
    values = np.random.default_rng(0).random((700, 600, 3), np.float32)
    image = Image.assemble(values, {"bits": bits}, "noise").stored()
    packed = Packed.of(image)
    assert packed.samples.dtype == dtype
    assert packed.bytes == values.size * np.dtype(dtype).itemsize
    block = packed.block((3, 5), (40, 30))
    np.testing.assert_array_equal(block.values, image.values[3:43, 5:35])
    assert (block.about, block.source) == (image.about, "noise")


def test_packing_keeps_no_second_copy_alive():
    image = Image.assemble(np.zeros((20, 20, 1)), {})
    packed = Packed.of(image)
    assert packed.empty.values.base is None
    assert not np.shares_memory(packed.samples, image.values)


def test_missing_values_stay_missing():
    values = np.full((4, 4, 1), np.nan, np.float32)
    np.testing.assert_array_equal(Packed.of(Image(values, {})).block((0, 0), (4, 4)).values, values)
