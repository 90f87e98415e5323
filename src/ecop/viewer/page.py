"""The page's layout: on the left what is chosen, on the right what comes of it; one column where it is narrow."""

from typing import Any

import gradio as gr
from gradio import themes

from ecop.core.registry import SCALINGS, SCORERS
from ecop.viewer.events import NOBODY, Events

SANS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif")
MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")
"""Fonts that the machine has: nothing is fetched."""

HEADER = """
<header class="ecop-header">
  <h1>ecop</h1>
  <p>A signal becomes a small network in a handful of gradient steps. Choose one, fit it, and look closely.</p>
</header>
"""
SCALING_NAMES = {"warmup": "warmup:4", "constant": "constant:1"}
"""Scalings that take a number, with a usual one."""

MOST_STEPS = 64


def theme() -> themes.Base:
    """Calm greys, one blue, and the machine's own fonts."""
    return themes.Default(
        primary_hue="blue", neutral_hue="slate", font=list(SANS), font_mono=list(MONO), radius_size="lg"
    )


def build_page(events: Events) -> gr.Blocks:
    """The page, with its events."""
    with gr.Blocks(title="ecop view", analytics_enabled=False, fill_width=True) as page:
        gr.HTML(HEADER)
        with gr.Row(elem_id="ecop-body"):
            with gr.Column(scale=1, min_width=300, elem_id="ecop-controls"):
                chosen = _controls(events)
            with gr.Column(scale=3, min_width=320, elem_id="ecop-results"):
                shown = _results()
        _wire(page, events, chosen, shown)
    return page


def _controls(events: Events) -> dict[str, Any]:
    chosen: dict[str, Any] = {}
    named = [(events.choices.label(name), name) for name in events.choices.initialisations]
    chosen["init"] = gr.Dropdown(
        named, value=events.first, label="Initialisation", elem_id="ecop-init",
        info="What the fit starts from. “random:” is the same network, untrained.",
    )  # fmt: skip
    chosen["signal"] = gr.Dropdown([], label="Signal", elem_id="ecop-signal")
    chosen["upload"] = gr.File(label="Your own signal, or a field file", height=128, elem_id="ecop-upload")
    chosen["partner"] = gr.Dropdown([NOBODY], value=NOBODY, label="Compare with", elem_id="ecop-partner")
    with gr.Accordion("Settings of the fit", open=False, elem_id="ecop-settings"):
        chosen["steps"] = gr.Slider(0, MOST_STEPS, 16, step=1, label="Steps")
        chosen["keep"] = gr.Slider(
            0.05, 1, 0.25, step=0.05, label="γ, share of kept points", info="At 1 every point is kept."
        )
        chosen["scorer"] = gr.Dropdown(list(SCORERS.names()), label="Scorer, which ranks the points")
        names = [SCALING_NAMES.get(name, name) for name in SCALINGS.names()]
        chosen["scaling"] = gr.Dropdown(names, label="Scaling of the gradient", allow_custom_value=True)
    with gr.Row():
        chosen["fit"] = gr.Button("Fit", variant="primary", elem_id="ecop-fit", scale=3, min_width=120)
        chosen["stop"] = gr.Button("Stop", elem_id="ecop-stop", scale=1, min_width=80)
    return chosen


def _results() -> dict[str, Any]:
    shown: dict[str, Any] = {"status": gr.HTML(elem_id="ecop-status"), "state": gr.HTML(elem_id="ecop-state-holder")}
    gr.HTML('<div id="ecop-panes"></div>')
    with gr.Row(elem_id="ecop-sliders"):
        shown["step"] = gr.Slider(0, 1, 0, step=1, label="Step", visible=False, elem_id="ecop-step")
        shown["layer"] = gr.Slider(0, 1, 0, step=1, label="Layer", visible=False, elem_id="ecop-layer")
    gr.HTML('<div id="ecop-players"></div>')
    with gr.Row(elem_id="ecop-models"):
        shown["models"] = [
            gr.Model3D(height=340, min_width=260, clear_color=(1.0, 1.0, 1.0, 1.0), elem_id=f"model-{n}")
            for n in range(3)  # hidden by page.css while empty: made visible by an update, they leave out its model
        ]
    gr.HTML('<div id="ecop-maps"></div>')
    gr.HTML('<div id="ecop-downloads"></div>')
    return shown


def _wire(page: gr.Blocks, events: Events, chosen: dict[str, Any], shown: dict[str, Any]) -> None:
    settings = [chosen[name] for name in ("partner", "steps", "keep", "scorer", "scaling")]
    result = [shown[name] for name in ("status", "state", "step", "layer")]
    all_of_it = [chosen["signal"], *settings, *result]
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    models: dict[str, Any] = {"fn": events.models, "inputs": [shown["step"]], "outputs": shown["models"], **quiet}

    page.load(events.open, None, [chosen["init"], *all_of_it], **quiet).then(**models)
    page.unload(events.leave)
    chosen["init"].input(events.choose, [chosen["init"]], all_of_it, **quiet).then(**models)
    chosen["signal"].input(events.look, [chosen["init"], chosen["signal"]], result, **quiet).then(**models)
    chosen["upload"].upload(
        events.receive, [chosen["upload"], chosen["init"]], [chosen["upload"], chosen["init"], *all_of_it], **quiet
    ).then(**models)
    fitting = chosen["fit"].click(
        events.fit, [chosen["init"], chosen["signal"], *settings], result, concurrency_limit=1,
        concurrency_id="fit", **quiet,
    )  # fmt: skip
    fitting.then(**models)
    chosen["stop"].click(events.stop, None, [shown["status"]], cancels=[fitting], **quiet)
    shown["step"].change(None, [shown["step"]], None, js="(step) => { window.ecop?.goTo(step); }")
    shown["layer"].change(None, [shown["layer"]], None, js="(layer) => { window.ecop?.toLayer(layer); }")
    shown["step"].release(**models)
