"""ERA5 at 46×90 comes as NumPy archives; anything else in one is refused."""

import zipfile

import numpy as np
import pytest

from ecop.core.errors import BadInput, TooLarge

pytest.importorskip("xarray")
from ecop.signals.sphere import Sphere

LATITUDES, LONGITUDES = np.linspace(90, -90, 46), np.arange(0, 360, 4.0)
TEMPERATURE = 280 + 25 * np.cos(np.radians(LATITUDES))[:, None] + np.sin(np.radians(LONGITUDES))[None, :]


@pytest.fixture
def archive(tmp_path):
    def write(**arrays):
        np.savez(tmp_path / "era5.npz", **arrays)
        return tmp_path / "era5.npz"

    return write


def test_a_grid_with_its_places(archive):
    path = archive(latitude=LATITUDES, longitude=LONGITUDES, temperature=TEMPERATURE.astype(np.float32))
    grid = Sphere.read(path, bounds=(202.66, 320.93))
    assert (grid.shape, grid.channels) == ((46, 90), 1)
    np.testing.assert_allclose(grid.in_units(), TEMPERATURE, atol=1e-3)
    rows, columns = grid.grid().axes()
    np.testing.assert_allclose(rows, LATITUDES)
    np.testing.assert_allclose(columns, LONGITUDES)
    assert grid.about["variable"] == "temperature"


def test_one_of_several_grids_is_chosen_by_name(archive):
    path = archive(lat=LATITUDES, lon=LONGITUDES, t2m=TEMPERATURE, wind=-TEMPERATURE, names=np.array(["a", "b"]))
    np.testing.assert_allclose(Sphere.read(path, var="wind").in_units(), -TEMPERATURE, rtol=1e-5)
    with pytest.raises(BadInput, match="t2m, wind"):
        Sphere.read(path)


def test_what_is_no_grid(archive):
    with pytest.raises(BadInput, match=r"without latitudes and longitudes \(it holds arr\); give latitude, longitude"):
        Sphere.read(archive(arr=TEMPERATURE))
    with pytest.raises(BadInput, match=r"without a grid of 46×90 numbers"):
        Sphere.read(archive(latitude=LATITUDES, longitude=LONGITUDES, temperature=TEMPERATURE.T))
    with pytest.raises(BadInput, match=r"without a grid of 46×90 numbers"):
        Sphere.read(archive(latitude=LATITUDES, longitude=LONGITUDES))


def test_nothing_is_unpickled(archive):
    path = archive(latitude=LATITUDES, longitude=LONGITUDES, temperature=TEMPERATURE, extra=np.array([{}], object))
    assert Sphere.read(path).shape == (46, 90)  # objects are passed over, not loaded
    with pytest.raises(BadInput, match="without latitudes"):
        Sphere.read(archive(latitude=np.array([{}], object), longitude=LONGITUDES, temperature=TEMPERATURE))


def test_a_header_that_promises_too_much_is_refused_before_anything_is_read(tmp_path):
    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w") as content, content.open("temperature.npy", "w") as stream:
        header = {"descr": "<f8", "fortran_order": False, "shape": (10**6, 10**6)}
        np.lib.format.write_array_header_1_0(stream, header)
    with pytest.raises(TooLarge, match=r"temperature.npy in .*1000000×1000000"):
        Sphere.read(path)


@pytest.mark.parametrize("keep", [0.3, 0.9])
def test_a_truncated_archive(archive, keep):
    path = archive(latitude=LATITUDES, longitude=LONGITUDES, temperature=TEMPERATURE)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * keep)])
    with pytest.raises(BadInput, match="damaged or truncated"):
        Sphere.read(path)


def test_a_zip_file_of_something_else(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as content:
        content.writestr("readme.txt", "hello")
    with pytest.raises(BadInput, match=r"without latitudes and longitudes \(it holds nothing\)"):
        Sphere.read(tmp_path / "a.npz")
