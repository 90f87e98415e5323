"""Fields on the sphere through the commands: a file with three months becomes three fields, and NetCDF again."""

import numpy as np
import pytest

xarray = pytest.importorskip("xarray")
pytest.importorskip("h5netcdf")

LATITUDES, LONGITUDES = np.linspace(90, -90, 13), np.arange(0, 360, 15.0)
MONTHS = np.array(["1982-01-16", "1982-02-15", "1982-03-16"], "M8[ns]")

TINY = """
name = "tiny-sphere"
signal = "sphere"
[field]
name = "siren"
width = 8
depth = 3
[learner]
name = "ecop"
keep = 0.5
inner_steps = 2
bootstrap_steps = 1
[data]
size = [7, 12]
channels = 1
batch = 1
[data.reading.bounds]
t2m = [200, 330]
[train]
steps = 2
lr = 1e-3
validate_every = 2
checkpoint_every = 2
validation_signals = 1
[fit]
steps = 3
"""


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "tiny.toml"
    path.write_text(TINY)
    return path


@pytest.fixture
def months(tmp_path):
    """Three months of temperatures with a hole, in one file; and of another variable."""
    ramp = 280 - 40 * np.abs(LATITUDES[:, None]) / 90 + 5 * np.cos(np.deg2rad(LONGITUDES))[None]
    values = np.stack([ramp + month for month in range(3)])
    values[:, 4, 7] = np.nan
    dims = ("time", "lat", "lon")
    data = xarray.Dataset(
        {"t2m": (dims, values, {"units": "K", "long_name": "temperature"}), "rain": (dims, values, {"units": "mm"})},
        {
            "time": ("time", MONTHS),
            "lat": ("lat", LATITUDES, {"units": "degrees_north"}),
            "lon": ("lon", LONGITUDES, {"units": "degrees_east"}),
        },
    )
    (tmp_path / "data").mkdir()
    data.to_netcdf(tmp_path / "data" / "months.nc", engine="h5netcdf")
    return tmp_path / "data" / "months.nc"


def test_fit_render_info(ecop, refused, recipe, months):
    init = f"random:{recipe}"
    fitted = ecop("fit", init, months, "-o", "fields/", "--json").document
    names = [f"fields/months-time={str(day)[:10]}.safetensors" for day in MONTHS]
    assert [entry["out"] for entry in fitted] == names
    assert fitted[0]["resampled_from"] == [13, 24]
    assert {"psnr", "weighted_psnr", "rmse", "weighted_rmse"} == set(fitted[0]["metrics"])

    one = ecop("fit", init, months, "-o", "one.safetensors", "--time", "1982-02", "--var", "rain")
    assert one.code == 0
    assert "weighted RMSE" in one.out
    about = ecop("info", "one.safetensors", "--json").document["signal"]
    assert (about["kind"], about["about"]["variable"], about["about"]["time"]) == ("sphere", "rain", "1982-02-15")
    assert "1982-02-15" in ecop("info", "one.safetensors").out

    assert ecop("render", names[1], "-o", "out.nc", "--shape", "19x36").code == 0
    with xarray.open_dataset("out.nc", engine="h5netcdf") as rendered:
        assert rendered["t2m"].dims == ("lat", "lon")
        assert rendered["t2m"].attrs == {"units": "K", "long_name": "temperature"}
        assert rendered["time"].values == MONTHS[1]
        np.testing.assert_allclose(rendered["lat"], np.linspace(90, -90, 19))
        np.testing.assert_allclose(rendered["lon"], np.arange(0, 360, 10))
        assert 150 < float(rendered["t2m"].mean()) < 380
    assert ecop("render", names[1], "-o", "part.nc", "--region", "0,0,0.5,0.5", "--shape", "5x6").code == 0
    with xarray.open_dataset("part.nc", engine="h5netcdf") as part:
        assert float(part["lon"].max()) == 150
        assert float(part["lat"].min()) == pytest.approx(10)
    assert refused("render", names[1], "-o", "out.tif").startswith("cannot write out.tif")


def test_patches_of_a_globe_have_no_gap_at_the_seam(ecop, recipe, months):
    init = f"random:{recipe}"
    ecop("fit", init, months, "-o", "blocks.safetensors", "--time", "1982-01", "--patches")
    assert ecop("info", "blocks.safetensors", "--json").document["blocks"] > 1
    assert ecop("render", "blocks.safetensors", "-o", "fine.nc", "--shape", "25x96").code == 0
    with xarray.open_dataset("fine.nc", engine="h5netcdf") as fine:
        assert np.isfinite(fine["t2m"]).all()


def test_train_and_eval(ecop, recipe, months):
    trained = ecop("train", "--data", months.parent, "--out", "run", "--recipe", recipe)
    assert trained.code == 0, trained.err
    evaluation = ecop("eval", "run", "--data", months.parent, "--json").document
    assert evaluation["n"] == 3
    assert [file["file"] for file in evaluation["files"]] == [f"months.nc#time={str(day)[:10]}" for day in MONTHS]
    assert set(evaluation["mean"]) == {"psnr", "weighted_psnr", "rmse", "weighted_rmse"}
    assert np.isfinite(list(evaluation["mean"].values())).all()


def test_what_is_refused(refused, recipe, months):
    init = f"random:{recipe}"
    assert "there is no variable 'wind'; choose one with --var: t2m (temperature, K), rain (mm)" in refused(
        "fit", init, months, "-o", "a.safetensors", "--var", "wind"
    )
    assert "there is no time '1999'" in refused("fit", init, months, "-o", "a.safetensors", "--time", "1999")
    assert "setting for reading sphere files 'lvl'" in refused("fit", init, months, "-o", "a/", "--read", "lvl=3")
    months.write_bytes(months.read_bytes()[:3000])
    assert "damaged or truncated file" in refused("fit", init, months, "-o", "a.safetensors")
