import nibabel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from ecop.core.errors import InvalidSetting
from ecop.signals import Volume
from ecop.signals.context import context_of

sides = st.integers(1, 12)
TURNED = [[0.0, 0.0, 2.0, 5.0], [-1.5, 0.0, 0.0, 9.0], [0.0, 4.0, 0.0, -7.0], [0.0, 0.0, 0.0, 1.0]]


def noise(shape, seed=0, **about):
    return Volume.assemble(np.random.default_rng(seed).random(shape), about)


def places(volume, indices):
    return indices @ volume.affine[:3, :3].T + volume.affine[:3, 3]


@settings(max_examples=40, deadline=None)
@given(st.tuples(sides, sides, sides), st.tuples(sides, sides, sides), st.integers(1, 3), st.floats(0, 1))
def test_resizing_keeps_a_constant(shape, to_shape, channels, value):
    resized = Volume.assemble(np.full((*shape, channels), value), {}).resized(to_shape)
    assert resized.values.shape == (*to_shape, channels)
    assert resized.values.dtype == np.float32
    np.testing.assert_allclose(resized.values, value, atol=1e-5)


@settings(max_examples=40, deadline=None)
@given(st.tuples(sides, sides, sides), st.tuples(sides, sides, sides))
def test_resizing_stays_in_range_and_in_place(shape, to_shape):
    """The same space is filled: its corners, half a voxel beyond the outermost middles, stay where they were."""
    volume = noise((*shape, 1), spacing=[2.0, 4.0, 1.5], affine=TURNED)
    resized = volume.resized(to_shape)
    assert 0 <= resized.values.min() <= resized.values.max() <= 1
    for corner in (np.zeros(3), np.ones(3)):
        before, after = (corner * np.array(v.shape) - 0.5 for v in (volume, resized))
        np.testing.assert_allclose(places(resized, after), places(volume, before), atol=1e-9)
    np.testing.assert_allclose(np.multiply(resized.spacing, to_shape), np.multiply(volume.spacing, shape))


def test_shrinking_is_antialiased():
    checks = Volume.assemble((np.indices((24, 24, 24)).sum(0) % 2)[..., None].astype(float), {})
    np.testing.assert_allclose(checks.resized((6, 6, 6)).values[1:-1, 1:-1, 1:-1], 0.5, atol=0.02)


def test_resizing_does_not_shift():
    ramp = np.broadcast_to(((np.arange(60) + 0.5) / 60)[:, None, None, None], (60, 4, 4, 1))
    small = Volume.assemble(ramp, {}).resized((20, 4, 2)).values
    np.testing.assert_allclose(small[3:-3, 0, 0, 0], ((np.arange(20) + 0.5) / 20)[3:-3], atol=2e-3)


def test_missing_values_do_not_spread():
    values = np.full((8, 8, 8, 1), 0.75)
    values[:4] = np.nan
    small = Volume.assemble(values, {}).resized((4, 4, 4)).values
    assert np.isnan(small[:2]).all()
    np.testing.assert_allclose(small[2:], 0.75, atol=1e-5)


@pytest.mark.parametrize("shape", [(0, 4, 4), (4, 4), (4, -1, 2)])
def test_shapes_that_no_volume_has(shape):
    with pytest.raises(InvalidSetting, match="shape"):
        noise((4, 4, 4, 1)).resized(shape)


def test_channels():
    single, colours = noise((3, 4, 5, 1)), noise((3, 4, 5, 3))
    np.testing.assert_array_equal(single.with_channels(3).values, single.values.repeat(3, -1))
    np.testing.assert_allclose(colours.with_channels(1).values, colours.values.mean(-1, keepdims=True))
    for wrong in (0, 2):
        with pytest.raises(InvalidSetting, match="1 or the volume's own 3"):
            colours.with_channels(wrong)


def test_blocks_know_their_place():
    volume = noise((6, 7, 8, 1), spacing=[2.0, 4.0, 1.5], affine=TURNED)
    block = volume.block((1, 2, 3), (4, 3, 2))
    np.testing.assert_array_equal(block.values, volume.values[1:5, 2:5, 3:5])
    np.testing.assert_allclose(places(block, np.zeros(3)), places(volume, np.array([1, 2, 3])))
    assert block.spacing == volume.spacing
    for start, shape in [((-1, 0, 0), (2, 2, 2)), ((5, 0, 0), (2, 2, 2)), ((0, 0, 0), (0, 2, 2))]:
        with pytest.raises(InvalidSetting, match="a block inside"):
            volume.block(start, shape)


def test_a_region_of_a_render_lies_where_its_voxels_do():
    """Twice the resolution of the last quarter of each axis."""
    volume = noise((8, 8, 8, 1), spacing=[2.0, 4.0, 1.5], affine=TURNED)
    about = Volume.about_render(volume.about, (8, 8, 8), (4, 4, 4), ((0.75, 1.0),) * 3)
    part = noise((4, 4, 4, 1), **about)
    assert part.spacing == (1.0, 2.0, 0.75)
    np.testing.assert_allclose(places(part, np.full(3, 0.5)), places(volume, np.full(3, 6.0)))
    np.testing.assert_allclose(places(part, np.full(3, 2.5)), places(volume, np.full(3, 7.0)))


def test_metrics_against_scikit_image():
    volume, other = noise((12, 13, 14, 1)), noise((12, 13, 14, 1), 1)
    other = volume.assemble(0.8 * volume.values + 0.2 * other.values, {})
    metrics = volume.metrics(other)
    one, two = volume.values[..., 0].astype(float), other.values[..., 0].astype(float)
    assert metrics["psnr"] == pytest.approx(peak_signal_noise_ratio(one, two, data_range=1))
    gaussian = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    assert metrics["ssim"] == pytest.approx(structural_similarity(one, two, data_range=1, **gaussian))
    assert set(noise((10, 13, 14, 1)).metrics(noise((10, 13, 14, 1), 1))) == {"psnr"}


def test_what_is_missing_does_not_count():
    values = np.full((12, 12, 12, 1), 0.5)
    values[:6] = np.nan
    reconstruction = np.full((12, 12, 12, 1), 0.6)
    reconstruction[:6] = 0
    volume = Volume.assemble(values, {})
    assert volume.metrics(Volume.assemble(reconstruction, {})) == {"psnr": pytest.approx(20, abs=1e-4)}
    context = context_of(volume)
    assert context.weights is not None
    np.testing.assert_array_equal(context.weights, np.repeat([0, 1], 864))
    assert np.isfinite(context.values).all()


def test_the_picture_of_a_head_is_upright():
    """Right, front and top are each brighter; whichever way the axes run, the picture is the same."""
    x, y, z = np.meshgrid(*(np.linspace(0, 1, n) for n in (20, 24, 16)), indexing="ij")
    numbers = (x + 2 * y + 4 * z) / 7
    straight = nibabel.Nifti1Image(numbers, np.eye(4))
    pictures = []
    for code in ("RAS", "LPS", "SAL", "PIR"):
        turn = nibabel.orientations.ornt_transform(
            nibabel.orientations.axcodes2ornt("RAS"), nibabel.orientations.axcodes2ornt(code)
        )
        image = straight.as_reoriented(turn)
        assert "".join(nibabel.aff2axcodes(image.affine)) == code
        volume = Volume.assemble(image.get_fdata()[..., None], {"affine": image.affine.tolist()})
        pictures.append(volume.picture())
        np.testing.assert_allclose(pictures[-1], pictures[0], atol=1e-6)
    factor = 96 // 24
    above, front = pictures[0][: 24 * factor, : 20 * factor, 0], pictures[0][:, 20 * factor + 2 : 40 * factor + 2, 0]
    assert above[0].mean() > above[-1].mean()  # the front is the upper edge
    assert (np.diff(above[0, ::factor]) > 0).all()  # what lies to the right is to the right
    rows = np.flatnonzero(front[:, 0] < 1)
    assert front[rows[0]].mean() > front[rows[-1]].mean()  # the top is the upper edge


def test_thick_slices_are_drawn_in_proportion():
    volume = noise((4, 60, 50, 1), spacing=[10.0, 2.0, 2.0])
    assert volume.picture().shape == (60, 50 + 2 + 50 + 2 + 60, 3)
    assert noise((4, 60, 50, 1), spacing=[1e9, 1.0, 1.0]).picture().shape == (60, 50 + 2 + 50 + 2 + 60, 3)


@pytest.mark.parametrize(
    ("values", "about"),
    [
        (np.zeros((4, 4, 4), np.float32), {}),
        (np.zeros((4, 4, 4, 1)), {}),
        (np.zeros((4, 4, 4, 1), np.float32), {"bounds": [1, 1]}),
        (np.zeros((4, 4, 4, 1), np.float32), {"bounds": [0, np.inf]}),
    ],
)
def test_what_is_no_volume(values, about):
    with pytest.raises(InvalidSetting, match=r"values|bounds"):
        Volume(values, about)
