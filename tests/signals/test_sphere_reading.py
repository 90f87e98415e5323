"""Files of every format, with axes either way, and what is chosen of those that hold much."""

import datetime

import numpy as np
import pytest

from ecop.core.errors import BadInput, InvalidSetting, TooLarge, UnknownName
from ecop.data import find_files
from ecop.data.folder import items_of
from ecop.signals import Sphere

xarray = pytest.importorskip("xarray")

LATITUDES, LONGITUDES = np.linspace(90, -90, 19), np.arange(0, 360, 10.0)
MONTHS = np.array(["1982-01-16", "1982-02-15", "1982-03-16"], "M8[ns]")


def temperatures(latitudes=LATITUDES, longitudes=LONGITUDES):
    """Kelvins that differ at every point."""
    return 280 + latitudes[:, None] / 10 + 10 * np.cos(np.deg2rad(longitudes))[None]


def monthly(**more):
    """Three months of t2m, as a model writes them."""
    values = np.stack([temperatures() + month for month in range(3)]).astype(np.float32)
    attributes = {"units": "K", "long_name": "2 metre temperature", "standard_name": "air_temperature"}
    coords = {
        "time": ("time", MONTHS, {"standard_name": "time"}),
        "latitude": ("latitude", LATITUDES, {"units": "degrees_north"}),
        "longitude": ("longitude", LONGITUDES, {"units": "degrees_east"}),
    }
    return xarray.Dataset({"t2m": (("time", "latitude", "longitude"), values, attributes), **more}, coords)


def single(latitudes=LATITUDES, longitudes=LONGITUDES, names=("lat", "lon"), attributes=({}, {}), values=None):
    values = temperatures(latitudes, longitudes) if values is None else values
    coords = {name: (name, axis, attrs) for name, axis, attrs in zip(names, (latitudes, longitudes), attributes)}  # noqa: B905
    return xarray.Dataset({"t": (names, values, {"units": "K"})}, coords)


@pytest.fixture
def write_grib():
    """Writes messages as weather services do, one a date."""
    codes = pytest.importorskip("eccodes")

    def write(path, grids, latitudes, longitudes, dates, name="2t"):
        place = {
            "Ni": len(longitudes), "Nj": len(latitudes),
            "latitudeOfFirstGridPointInDegrees": float(latitudes[0]),
            "latitudeOfLastGridPointInDegrees": float(latitudes[-1]),
            "longitudeOfFirstGridPointInDegrees": float(longitudes[0]),
            "longitudeOfLastGridPointInDegrees": float(longitudes[-1]),
            "iDirectionIncrementInDegrees": float(longitudes[1] - longitudes[0]),
            "jDirectionIncrementInDegrees": float(latitudes[0] - latitudes[1]),
        }  # fmt: skip
        with path.open("wb") as stream:
            for values, date in zip(grids, dates, strict=True):
                message = codes.codes_grib_new_from_samples("regular_ll_sfc_grib2")
                missing = codes.codes_get_double(message, "missingValue")
                for key, value in {**place, "dataDate": date, "shortName": name, "bitsPerValue": 24}.items():
                    codes.codes_set(message, key, value)
                codes.codes_set(message, "bitmapPresent", int(np.isnan(values).any()))
                codes.codes_set_values(message, np.where(np.isnan(values), missing, values).ravel())
                codes.codes_write(message, stream)
                codes.codes_release(message)
        return path

    return write


WRITERS = {
    "netcdf4.nc": lambda data, path: data.to_netcdf(path, engine="h5netcdf"),
    "netcdf3.nc": lambda data, path: data.to_netcdf(path, engine="scipy", format="NETCDF3_64BIT"),
    "classic.cdf": lambda data, path: data.to_netcdf(path, engine="scipy", format="NETCDF3_CLASSIC"),
    "store2.zarr": lambda data, path: data.to_zarr(path, zarr_format=2, consolidated=True),
    "store3.zarr": lambda data, path: data.to_zarr(path, zarr_format=3, consolidated=False),
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_format(tmp_path, name):
    path = tmp_path / name
    WRITERS[name](monthly(), path)
    assert find_files(tmp_path, Sphere) == [path]
    assert [dict(member) for member in Sphere.members(path, {})] == [{"time": str(day)[:10]} for day in MONTHS]
    assert Sphere.members(path, {"time": "1982-02"}) == ({},)
    grid = Sphere.read(path, time="1982-02-15", bounds=(250, 310))
    assert grid.shape == (19, 36)
    np.testing.assert_allclose(grid.in_units(), temperatures() + 1, rtol=1e-6)
    np.testing.assert_allclose(grid.values[..., 0], (temperatures() + 1 - 250) / 60, atol=1e-6)
    assert [grid.about[key] for key in ("variable", "units", "time", "bounds")] == [
        "t2m", "K", "1982-02-15", [250, 310],
    ]  # fmt: skip
    np.testing.assert_allclose(grid.grid().coordinates(), [(a, o) for a in LATITUDES for o in LONGITUDES], atol=1e-9)


def test_grib(tmp_path, write_grib):
    values = [temperatures() + month for month in range(2)]
    values[1][3, 4] = np.nan
    path = write_grib(tmp_path / "t.grib", values, LATITUDES, LONGITUDES, (19820116, 19820215))
    assert [dict(member) for member in Sphere.members(path, {})] == [
        {"time": "1982-01-16T12:00"}, {"time": "1982-02-15T12:00"},
    ]  # fmt: skip
    grid = Sphere.read(path, time="1982-02")
    np.testing.assert_allclose(grid.in_units(), values[1], atol=1e-4)
    assert np.argwhere(np.isnan(grid.values)).tolist() == [[3, 4, 0]]
    assert (grid.about["variable"], grid.about["units"]) == ("t2m", "K")
    assert [entry.name for entry in tmp_path.iterdir()] == ["t.grib"]  # no index, which would be a pickle


def test_a_part_of_a_file_is_an_item_with_a_name(tmp_path):
    monthly().to_netcdf(tmp_path / "t.nc", engine="h5netcdf")
    items = items_of([tmp_path / "t.nc"], Sphere, {})
    assert [item.name(tmp_path) for item in items] == [f"t.nc#time={str(day)[:10]}" for day in MONTHS]
    np.testing.assert_allclose(items[2].read(Sphere, {}).in_units(), temperatures() + 2, rtol=1e-6)


@pytest.mark.parametrize("time", ["1982-02-15", "1982-02", "1982-02-15T00:00:00Z", datetime.date(1982, 2, 15)])
def test_a_time_as_people_write_it(tmp_path, time):
    monthly().to_netcdf(tmp_path / "t.nc", engine="h5netcdf")
    assert Sphere.read(tmp_path / "t.nc", time=time).about["time"] == "1982-02-15"


@pytest.mark.parametrize(
    ("time", "message"),
    [
        ("1983-01", r"there is no time '1983-01' \(1982-01-16, 1982-02-15, 1982-03-16\); choose one with --time"),
        ("1982", r"3 times fit '1982'"),
        (None, r"t2m has 3 times \(1982-01-16, 1982-02-15, 1982-03-16\); choose one with --time"),
    ],
)
def test_times_that_are_none_or_several(tmp_path, time, message):
    monthly().to_netcdf(tmp_path / "t.nc", engine="h5netcdf")
    with pytest.raises(BadInput, match=message):
        Sphere.read(tmp_path / "t.nc", time=time)


@pytest.mark.parametrize(
    ("units", "calendar", "expected"),
    [
        ("days since 2001-01-01", "noleap", ["2001-02-01", "2001-03-01"]),
        ("days since 2001-01-01", "360_day", ["2001-02-02", "2001-02-30"]),
        ("hours since 2001-01-01 00:00", "standard", ["2001-01-02T07:00", "2001-01-03T11:00"]),
        ("months since 2001-01-01", "standard", ["31", "59"]),
        ("months", None, ["31", "59"]),
    ],
)
def test_calendars(tmp_path, units, calendar, expected):
    attributes = {"units": units, "axis": "T"} | ({"calendar": calendar} if calendar else {})
    data = monthly().isel(time=[0, 1]).drop_vars("time").assign_coords(time=("time", [31, 59], attributes))
    data.to_netcdf(tmp_path / "t.nc", engine="h5netcdf")
    members = Sphere.members(tmp_path / "t.nc", {})
    assert [member["time"] for member in members] == expected
    for place, member in enumerate(members):
        grid = Sphere.open(tmp_path / "t.nc", member)
        np.testing.assert_allclose(grid.in_units(), temperatures() + place, rtol=1e-6)
        assert grid.about["time"] == expected[place]


AXES = {
    "south first": (LATITUDES[::-1], LONGITUDES),
    "±180": (LATITUDES, LONGITUDES - 180),
    "west first": (LATITUDES, LONGITUDES[::-1]),
    "turned": (LATITUDES, (LONGITUDES + 180) % 360),
    "jumping": (LATITUDES, (LONGITUDES + 180) % 360 - 180),
    "without poles": (np.linspace(85, -85, 18), LONGITUDES),
    "from 20 to 370": (LATITUDES, LONGITUDES + 20),
    "a region over the seam": (np.linspace(60, 30, 7), np.array([350.0, 355, 0, 5, 10])),
    "single precision": (np.float32(LATITUDES), np.linspace(0, 360, 36, endpoint=False, dtype=np.float32)),
}


@pytest.mark.parametrize("name", AXES)
def test_axes_of_every_kind(tmp_path, name):
    latitudes, longitudes = AXES[name]
    single(latitudes, longitudes).to_netcdf(tmp_path / "t.nc", engine="h5netcdf")
    grid = Sphere.read(tmp_path / "t.nc")
    rows, columns = grid.grid().axes()
    np.testing.assert_allclose(rows, latitudes, atol=1e-5)
    np.testing.assert_allclose(np.cos(np.deg2rad(columns - longitudes)), 1, atol=1e-9)  # the same but for full turns
    np.testing.assert_allclose(np.diff(columns), columns[1] - columns[0], atol=1e-9)
    assert grid.about["round"] == (len(longitudes) == 36)
    assert grid.about["time"] is None
    np.testing.assert_allclose(grid.in_units(), temperatures(latitudes, longitudes), rtol=1e-6)


@pytest.mark.parametrize(
    ("names", "attributes"),
    [
        (("latitude", "longitude"), ({}, {})),
        (("y", "x"), ({"standard_name": "latitude"}, {"standard_name": "longitude"})),
        (("FNOCY", "FNOCX"), ({"units": "degrees_north"}, {"units": "degrees_east"})),
        (("a", "b"), ({"units": "degree_N"}, {"units": "degreesE"})),
    ],
)
def test_axes_by_any_name(tmp_path, names, attributes):
    single(names=names, attributes=attributes).to_netcdf(tmp_path / "t.nc", engine="h5netcdf")
    grid = Sphere.read(tmp_path / "t.nc")
    assert tuple(axis["name"] for axis in grid.about["axes"]) == names
    np.testing.assert_allclose(grid.in_units(), temperatures(), rtol=1e-6)


def test_longitudes_may_come_first(tmp_path):
    single().transpose("lon", "lat").to_netcdf(tmp_path / "t.nc", engine="h5netcdf")
    np.testing.assert_allclose(Sphere.read(tmp_path / "t.nc").in_units(), temperatures(), rtol=1e-6)


def test_packed_values_and_every_way_to_say_missing(tmp_path):
    data = single()
    data["t"].values[2, 3] = np.nan
    packed = {"dtype": "int16", "scale_factor": 0.01, "add_offset": 280.0, "_FillValue": -32768}
    data.to_netcdf(tmp_path / "packed.nc", engine="h5netcdf", encoding={"t": packed})
    grid = Sphere.read(tmp_path / "packed.nc")
    np.testing.assert_allclose(grid.in_units(), data["t"].values, atol=0.0051)
    assert np.argwhere(np.isnan(grid.values)).tolist() == [[2, 3, 0]]
    assert not {"scale_factor", "_FillValue"} & set(grid.about["attributes"])
    values = temperatures()
    values[0, 0], values[1, 1] = np.inf, 9.969209968386869e36  # NetCDF's mark of what nobody wrote
    single(values=values).to_netcdf(tmp_path / "t.nc", engine="h5netcdf")
    assert np.argwhere(np.isnan(Sphere.read(tmp_path / "t.nc").values[..., 0])).tolist() == [[0, 0], [1, 1]]


def test_bounds(tmp_path):
    single().to_netcdf(tmp_path / "t.nc", engine="h5netcdf")
    own = Sphere.read(tmp_path / "t.nc")
    assert own.about["bounds"] == [temperatures().min(), temperatures().max()]
    assert (own.values.min(), own.values.max()) == (0, 1)
    narrow = Sphere.read(tmp_path / "t.nc", bounds=[275, 285])
    assert narrow.values.min() < 0 < 1 < narrow.values.max()  # nothing is clipped
    np.testing.assert_allclose(narrow.in_units(), temperatures(), rtol=1e-6)
    named = {"t": [200, 400], "wind": [-30, 30]}
    assert Sphere.read(tmp_path / "t.nc", bounds=named).about["bounds"] == [200, 400]
    assert Sphere.read(tmp_path / "t.nc", bounds={"wind": [-30, 30]}).about["bounds"] == own.about["bounds"]
    for wrong in ([1, 1], [2, 1], [1], [0, np.inf]):
        with pytest.raises(InvalidSetting, match="bounds"):
            Sphere.read(tmp_path / "t.nc", bounds=wrong)


def test_a_constant_has_bounds_of_its_own(tmp_path):
    single(values=np.full((19, 36), 5.0)).to_netcdf(tmp_path / "t.nc", engine="h5netcdf")
    grid = Sphere.read(tmp_path / "t.nc")
    np.testing.assert_allclose(grid.in_units(), 5)
    assert grid.about["bounds"] == [5, 6]


def test_variables(tmp_path):
    lines = ("time", "latitude", "longitude"), monthly()["t2m"].values, {"units": "m", "long_name": "rain"}
    edges = ("latitude", "bnds"), np.zeros((19, 2))
    path = tmp_path / "t.nc"
    monthly(rain=lines, latitude_bnds=edges, mask=(("latitude", "longitude"), np.full((19, 36), "a"))).to_netcdf(
        path, engine="h5netcdf"
    )
    for call in (lambda: Sphere.read(path), lambda: Sphere.members(path, {})):
        with pytest.raises(
            BadInput, match=r"it has 2 variables; choose one with --var: t2m \(2 metre.*\), rain \(rain, m\)"
        ):
            call()
    with pytest.raises(BadInput, match=r"there is no variable 'T2M'; choose one with --var: t2m \(2 metre"):
        Sphere.read(path, var="T2M")
    assert len(Sphere.members(path, {"var": "rain"})) == 3
    assert Sphere.read(path, var="rain", time="1982-01").about["units"] == "m"
    both = {"bounds": {"t2m": [250, 320], "rain": [0, 500]}}  # of several, those that have bounds are meant
    members = Sphere.members(path, both)
    assert [(member["var"], member["time"]) for member in members] == [
        (name, str(day)[:10]) for name in ("t2m", "rain") for day in MONTHS
    ]
    assert Sphere.open(path, {**both, **members[4]}).about["bounds"] == [0, 500]
    assert Sphere.members(path, {**both, "time": "1982-03"}) == ({"var": "t2m"}, {"var": "rain"})
    with pytest.raises(BadInput, match="several variables: t2m, rain; choose one with --var"):
        Sphere.read(path, time="1982-01", **both)
    assert Sphere.members(path, {"bounds": {"rain": [0, 1]}, "time": "1982-01"}) == ({},)


def test_levels_and_further_axes(tmp_path):
    values = np.arange(2 * 3 * 19 * 36, dtype=float).reshape(2, 3, 19, 36)
    coords = {
        "plev": ("plev", [85000.0, 50000.0, 20000.0], {"units": "Pa", "positive": "down"}),
        "number": ("number", [0, 1]), "lat": ("lat", LATITUDES), "lon": ("lon", LONGITUDES),
    }  # fmt: skip
    path = tmp_path / "t.nc"
    data = xarray.Dataset({"z": (("number", "plev", "lat", "lon"), values)}, coords)
    data.to_netcdf(path, engine="h5netcdf")
    grid = Sphere.read(path, level=50000, select={"number": 1})
    np.testing.assert_allclose(grid.in_units(), values[1, 1], rtol=1e-6)
    assert {entry["name"]: entry["value"] for entry in grid.about["scalars"]} == {"plev": 50000, "number": 1}
    with pytest.raises(
        BadInput, match=r"z has 3 values of plev \(85000, 50000, 20000\); choose one with --read level=VALUE"
    ):
        Sphere.read(path, select={"number": 1})
    with pytest.raises(
        BadInput, match=r"2 values of number \(0, 1\); choose one with --read 'select=\{number=VALUE\}'"
    ):
        Sphere.read(path, level=50000)
    with pytest.raises(BadInput, match="plev has no value 70000; choose one of: 85000, 50000, 20000"):
        Sphere.read(path, level=70000, select={"number": 1})
    with pytest.raises(InvalidSetting, match="select = 1"):
        Sphere.members(path, {"select": 1})
    with pytest.raises(UnknownName, match="setting for reading sphere files 'levels'"):
        Sphere.members(path, {"levels": 1})
    with pytest.raises(BadInput, match="z has no axis realization; those to choose are: number, plev"):
        Sphere.read(path, level=50000, select={"realization": 1})
    data.isel(plev=[1], number=[0]).to_netcdf(tmp_path / "one.nc", engine="h5netcdf")
    np.testing.assert_allclose(Sphere.read(tmp_path / "one.nc").in_units(), values[0, 1], rtol=1e-6)
    data.isel(plev=1, number=0).to_netcdf(tmp_path / "scalar.nc", engine="h5netcdf")
    np.testing.assert_allclose(Sphere.read(tmp_path / "scalar.nc", level=50000).in_units(), values[0, 1], rtol=1e-6)
    with pytest.raises(BadInput, match="z has no level 85000; leave level out"):
        Sphere.read(tmp_path / "scalar.nc", level=85000)
    with pytest.raises(BadInput, match="z has no time; leave --time out"):
        Sphere.read(tmp_path / "scalar.nc", time="1982-01")


def test_a_time_without_an_axis_is_kept_and_checked(tmp_path):
    monthly().isel(time=1).to_netcdf(tmp_path / "t.nc", engine="h5netcdf")
    assert Sphere.members(tmp_path / "t.nc", {}) == ({},)
    assert Sphere.read(tmp_path / "t.nc").about["time"] == "1982-02-15"
    assert Sphere.read(tmp_path / "t.nc", time="1982-02").about["time"] == "1982-02-15"
    with pytest.raises(BadInput, match="there is no time '1982-03'"):
        Sphere.read(tmp_path / "t.nc", time="1982-03")


def test_only_what_is_asked_for_is_limited(tmp_path, monkeypatch):
    monthly().to_netcdf(tmp_path / "t.nc", engine="h5netcdf")
    monkeypatch.setenv("ECOP_MAX_PIXELS", "700")  # one month has 684 points, the file thrice as many
    assert Sphere.read(tmp_path / "t.nc", time="1982-01").shape == (19, 36)
    monkeypatch.setenv("ECOP_MAX_PIXELS", "600")
    with pytest.raises(TooLarge, match=r"19×36 = 684 pixels.*ECOP_MAX_PIXELS=684"):
        Sphere.read(tmp_path / "t.nc", time="1982-01")
    chunks = {"t2m": {"chunksizes": (3, 19, 36)}}
    monthly().to_netcdf(tmp_path / "chunk.nc", engine="h5netcdf", encoding=chunks)
    monkeypatch.setenv("ECOP_MAX_PIXELS", "700")
    with pytest.raises(TooLarge, match=r"a chunk of .*chunk.nc is 3×19×36"):
        Sphere.read(tmp_path / "chunk.nc", time="1982-01")
