import pytest

from ecop.core.errors import InvalidSetting, TooLarge
from ecop.core.limits import INPUT_PIXELS


def test_a_limit_stands_until_the_user_raises_it(monkeypatch):
    monkeypatch.delenv("ECOP_MAX_PIXELS", raising=False)
    INPUT_PIXELS.check("a.png", (8192, 16384))
    with pytest.raises(TooLarge, match=r"a.png is 8192×16385 = 134225920 pixels.*set ECOP_MAX_PIXELS=134225920"):
        INPUT_PIXELS.check("a.png", (8192, 16385))
    monkeypatch.setenv("ECOP_MAX_PIXELS", "134225920")
    INPUT_PIXELS.check("a.png", (8192, 16385))
    monkeypatch.setenv("ECOP_MAX_PIXELS", "2e8")
    assert INPUT_PIXELS.value == 200_000_000


@pytest.mark.parametrize("text", ["many", "0", "-5", "1e999", "1.5"])
def test_a_limit_that_is_no_number_is_refused(monkeypatch, text):
    monkeypatch.setenv("ECOP_MAX_PIXELS", text)
    with pytest.raises(InvalidSetting, match="ECOP_MAX_PIXELS"):
        _ = INPUT_PIXELS.value
