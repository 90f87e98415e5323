"""The page in Debian's Chromium: what a visitor does, from upload to download."""

import http.client
import shutil
import time
from urllib.parse import parse_qs, urlparse

import numpy as np
import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
if CHROMIUM is None:
    pytest.skip("Chromium is not installed: apt-get install chromium", allow_module_level=True)
playwright = pytest.importorskip("playwright.sync_api", reason="the browser is driven by playwright")

PATIENCE = 90_000
"""Milliseconds that a busy machine may take for one step of a visitor."""


class Visitor:
    """A browser of its own, with what it asked for and what it complained of."""

    def __init__(self, browser, url, width):
        self.context = browser.new_context(viewport={"width": width, "height": 844}, accept_downloads=True)
        self.context.set_default_timeout(PATIENCE)
        self.page = self.context.new_page()
        self.hosts, self.asked, self.complaints = set(), [], []
        self.page.on("request", self._note)
        self.page.on("console", lambda said: said.type == "error" and self.complaints.append(said.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(url)
        self.page.wait_for_selector(".ecop-pane img[src]")

    def _note(self, request):
        address = urlparse(request.url)
        if address.scheme not in ("data", "blob"):
            self.hosts.add(address.netloc)
            self.asked.append(address)

    def upload(self, path):
        self.page.locator("#ecop-upload input[type=file]").set_input_files(str(path))

    def says(self, text):
        self.page.locator("#ecop-status").get_by_text(text).wait_for()

    def wait_for_fit(self, title):
        self.page.wait_for_function(
            "title => { const found = JSON.parse(document.getElementById('ecop-state').dataset.state);"
            " return found.fits.length > 0 && found.fits[0].title === title && found.fits.every(fit => fit.done) }",
            arg=title,
        )

    def fit(self):
        edition = self.state()["edition"]
        self.page.locator("#ecop-fit").click()
        self.page.wait_for_function(
            "before => JSON.parse(document.getElementById('ecop-state').dataset.state).edition > before", arg=edition
        )
        self.wait_for_fit("tiny")

    def state(self):
        return self.page.evaluate("JSON.parse(document.getElementById('ecop-state').dataset.state)")

    def wait_for_window(self, wanted):
        """Until a picture of the field has been asked for that ``wanted`` accepts; its address."""
        end = time.monotonic() + PATIENCE / 1000
        while time.monotonic() < end:
            for address in self.asked:
                if address.path.endswith("/window.png") and wanted(address.path, parse_qs(address.query)):
                    return address
            self.page.wait_for_timeout(100)
        raise AssertionError(f"no such picture was asked for among {len(self.asked)} requests")


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def visitor(browser, served):
    """Somebody who has fitted the photo of the command line."""
    made = Visitor(browser, served.url, 1280)
    made.fit()
    yield made
    made.context.close()


@pytest.fixture(autouse=True)
def nothing_went_wrong(request):
    """Behind every test: no complaint of the browser, and nobody else was asked for anything."""
    yield
    if "visitor" in request.fixturenames:
        made, served = request.getfixturevalue("visitor"), request.getfixturevalue("served")
        assert made.complaints == []
        assert made.hosts == {urlparse(served.url).netloc}


def test_the_fit_shows_what_it_reached(visitor):
    visitor.says("tiny: PSNR")
    assert visitor.state()["fits"][0]["total"] == 3
    visitor.page.wait_for_function(  # curve, kept points, errors
        "document.querySelectorAll('#ecop-maps img[src]').length === 3"
    )
    visitor.page.locator(".ecop-note").get_by_text("dB after 3 steps").wait_for()


def test_the_slider_goes_through_the_steps(visitor):
    slider = visitor.page.locator("#ecop-step input[type=range]")
    slider.focus()
    slider.press("ArrowLeft")
    slider.press("ArrowLeft")
    visitor.page.locator(".ecop-note").get_by_text("dB after 1 steps").wait_for()
    visitor.wait_for_window(lambda path, query: "/0/1/" in path)
    slider.press("End")
    visitor.page.locator(".ecop-note").get_by_text("dB after 3 steps").wait_for()


def test_a_window_is_drawn_at_the_resolution_of_the_screen(visitor):
    width = visitor.page.locator(".ecop-stage").bounding_box()["width"]
    visitor.page.get_by_label("Zoom in").click()

    def sharp(path, query):
        return "/0/3/" in path and query["left"] == ["0.250000"] and float(query["width"][0]) >= width - 1

    address = visitor.wait_for_window(sharp)
    assert parse_qs(address.query)["right"] == ["0.750000"]
    visitor.page.locator(".ecop-stage").focus()
    visitor.page.locator(".ecop-stage").press("ArrowRight")
    visitor.wait_for_window(lambda path, query: query["left"] == ["0.350000"])
    visitor.page.get_by_label("Show all of it").click()


def test_swiping_uncovers_the_field(visitor):
    stage = visitor.page.locator(".ecop-stage")
    stage.click(position={"x": 0.2 * stage.bounding_box()["width"], "y": 20})
    assert float(visitor.page.locator(".ecop-split").input_value()) == pytest.approx(0.2, abs=0.02)


def test_the_field_and_a_render_are_taken_away(visitor, tmp_path):
    from ecop.fit.fitted import Fitted
    from ecop.signals import Image

    for name in ("field", "render", "pictures"):
        if name == "render":
            visitor.page.get_by_label("How large the render is").select_option("2")
        with visitor.page.expect_download() as download:
            visitor.page.locator(f"#ecop-downloads [data-name={name}]").click()
        download.value.save_as(tmp_path / download.value.suggested_filename)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "tiny-3-pictures.zip",
        "tiny-3-x2.png",
        "tiny-3.safetensors",
    ]
    fitted = Fitted.load(tmp_path / "tiny-3.safetensors")
    assert fitted.steps == 3
    drawn = Image.read(tmp_path / "tiny-3-x2.png").values
    assert np.abs(drawn - fitted.render(scale=2).stored().values).max() <= 1.01 / 255
    visitor.upload(tmp_path / "tiny-3.safetensors")
    visitor.wait_for_fit("tiny-3")
    assert visitor.state()["original"] is False


def test_a_photo_is_uploaded_and_fitted(visitor, photo, tmp_path):
    photo.block((0, 0), (40, 50)).write(tmp_path / "mine.png")
    visitor.upload(tmp_path / "mine.png")
    visitor.says("mine.png: 40 × 50 samples")
    assert visitor.page.locator("#ecop-signal input").input_value() == "mine.png"
    visitor.fit()
    visitor.says("resampled from 40 × 50")


def test_a_wrong_file_gets_the_command_lines_sentence(visitor, place):
    from ecop.core.errors import BadInput
    from ecop.signals import Image

    with pytest.raises(BadInput) as caught:
        Image.read(place / "wrong.png")
    visitor.upload(place / "wrong.png")
    visitor.says(str(caught.value).replace(f"{place}/", ""))
    assert visitor.state()["fits"][0]["done"]  # what was there stays


def test_a_fit_that_fails_leaves_the_page_alive(visitor):
    if not visitor.page.get_by_label("Scaling of the gradient").is_visible():
        visitor.page.get_by_text("Settings of the fit").click()
    scaling = visitor.page.get_by_label("Scaling of the gradient")
    scaling.fill("louder")
    scaling.press("Enter")
    visitor.page.locator("#ecop-fit").click()
    visitor.says("there is no scaling 'louder'")
    scaling.fill("norm")
    scaling.press("Enter")
    visitor.fit()


def test_two_initialisations_side_by_side(visitor):
    visitor.page.locator("#ecop-partner input").click()
    visitor.page.get_by_role("option", name="random:photo").click()
    visitor.page.get_by_label("number input for Steps").fill("0")  # a look at both starts
    visitor.page.get_by_label("number input for Steps").press("Enter")
    visitor.fit()
    assert [fit["title"] for fit in visitor.state()["fits"]] == ["tiny", "random:photo"]
    assert visitor.page.locator(".ecop-pane").count() == 2


def test_two_visitors_do_not_see_each_others_files(visitor, served, browser, photo, tmp_path):
    photo.write(tmp_path / "private.png")
    visitor.upload(tmp_path / "private.png")
    visitor.says("private.png: 40 × 60 samples")
    address = next(a for a in visitor.asked if a.path.endswith("/original/0/window.png"))
    own = visitor.context.request.get(f"{served.url.rstrip('/')}{address.path}?{address.query}")
    assert own.status in (200, 204)  # 204: it shows something else by now
    key = visitor.state()["key"]
    uploads = list((served.temporary).glob(f"*/{key}/uploads/private.png"))
    assert len(uploads) == 1
    other = browser.new_context()
    try:
        other.request.get(served.url)
        for path in (f"{address.path}?{address.query}", f"/gradio_api/file={uploads[0]}"):
            assert other.request.get(f"{served.url.rstrip('/')}{path}").status in (404, 409)
        assert visitor.context.request.get(f"{served.url}gradio_api/file={uploads[0]}").status == 200
    finally:
        other.close()


def test_a_narrow_screen_has_one_column_and_its_files_go_with_the_page(served, browser):
    phone = Visitor(browser, served.url, 390)
    key = phone.state()["key"]
    assert list(served.temporary.glob(f"*/{key}"))
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= 390
    left = [phone.page.locator(place).bounding_box()["x"] for place in ("#ecop-controls", "#ecop-results")]
    assert left[0] == left[1] < 40
    phone.fit()
    assert phone.page.locator(".ecop-stage").bounding_box()["width"] > 300
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert phone.complaints == []
    phone.context.close()
    end = time.monotonic() + 60
    while list(served.temporary.glob(f"*/{key}")) and time.monotonic() < end:
        time.sleep(0.2)
    assert not list(served.temporary.glob(f"*/{key}"))


def test_uploads_over_the_limit_are_refused(served):
    """By what the request says of itself, before its body is read: none is sent, since nobody would take it."""
    connection = http.client.HTTPConnection(urlparse(served.url).netloc, timeout=30)
    try:
        connection.putrequest("POST", "/gradio_api/upload")
        connection.putheader("Content-Type", "multipart/form-data")
        connection.putheader("Content-Length", "2000000")
        connection.endheaders()
        answer = connection.getresponse()
        assert answer.status == 413
        assert b"--max-upload" in answer.read()
    finally:
        connection.close()
