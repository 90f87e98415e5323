"use strict";
// Draws what the server describes in #ecop-state: panes to swipe and zoom, maps, players and downloads.
// Every picture is asked for by an address that says all that it depends on.
(() => {
  const WHOLE = { left: 0, top: 0, right: 1, bottom: 1 };
  const SMALLEST = 1 / 512; // share of the whole that a window has at least
  const QUICK = 24000; // points of a first picture, while things move
  const SETTLED = 250; // milliseconds after which they no longer do
  let state = { fits: [], edition: -1 };
  let text = "";
  let step = 0;
  let layer = 0;
  let split = 0.5;
  let view = { ...WHOLE };
  let pictures = []; // all that follow the step
  let panes = [];
  let timer = 0;

  const $ = (id) => document.getElementById(id);
  const base = () => `/ecop/${state.key}/${state.edition}`;
  const depth = () => (layer + 0.5) / (state.layers || 1);
  const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }

  // One picture that is asked for again when what it shows changes; never twice at once.
  class Picture {
    constructor(image, address, onNote) {
      Object.assign(this, { image, address, onNote, asked: "", busy: false, next: null, window: { ...WHOLE } });
    }

    async ask(settled) {
      if (this.busy) {
        this.next = { settled }; // the last question counts: a sharp picture, if things have settled meanwhile
        return;
      }
      const address = this.address(settled);
      if (address === this.asked) return;
      this.busy = true;
      const window = { ...view };
      try {
        const answer = await fetch(address);
        if (answer.status === 200 && this.image.isConnected) {
          const content = URL.createObjectURL(await answer.blob());
          this.image.onload = () => {
            URL.revokeObjectURL(content);
            if (state.zooms !== "none" || !this.image.classList.contains("ecop-window")) return;
            if (this.image.closest(".beside")) return; // these have their own heights
            this.image.closest(".ecop-stage").style.aspectRatio = `${this.image.naturalWidth} / ${this.image.naturalHeight}`;
          };
          this.image.src = content;
          this.window = window;
          this.onNote?.(answer.headers.get("x-note"));
        }
        this.asked = answer.status === 204 ? "" : address; // 204: it is not there yet, or no longer
      } catch {
        this.asked = ""; // the server went away: ask again when something moves
      }
      this.busy = false;
      this.place();
      if (this.next) {
        const { settled: last } = this.next;
        this.next = null;
        this.ask(last);
      }
    }

    // Where the picture lies while the window has moved on.
    place() {
      if (!this.image.classList.contains("ecop-window")) return;
      const [w, h] = [view.right - view.left, view.bottom - view.top];
      const at = this.window;
      const style = this.image.style;
      style.left = `${(100 * (at.left - view.left)) / w}%`;
      style.top = `${(100 * (at.top - view.top)) / h}%`;
      style.width = `${(100 * (at.right - at.left)) / w}%`;
      style.height = `${(100 * (at.bottom - at.top)) / h}%`;
    }
  }

  function update() {
    for (const pane of panes) pane.refresh();
    for (const picture of pictures) {
      picture.place();
      picture.ask(false);
    }
    clearTimeout(timer);
    timer = setTimeout(() => {
      for (const picture of pictures) picture.ask(true);
      play();
    }, SETTLED);
  }

  function windowAddress(what, stage, quick) {
    return (settled) => {
      const ratio = Math.min(2, window.devicePixelRatio || 1);
      const box = stage.getBoundingClientRect();
      let [width, height] = [box.width * ratio, box.height * ratio];
      const shrink = settled || !quick ? 1 : Math.min(1, Math.sqrt(QUICK / (width * height)));
      [width, height] = [width, height].map((side) => clamp(Math.round(side * shrink), 1, 2048));
      const at = Object.entries(view).map(([side, value]) => `${side}=${value.toFixed(6)}`);
      const own = what === "original" ? 0 : Math.min(step, state.fits[what]?.steps ?? 0);
      return `${base()}/${what}/${own}/window.png?${at.join("&")}&depth=${depth()}&width=${width}&height=${height}`;
    };
  }

  function zoom(factor, x = 0.5, y = 0.5) {
    if (state.zooms === "none") return;
    const axes = state.zooms === "both" ? [["left", "right", x], ["top", "bottom", y]] : [["left", "right", x]];
    for (const [low, high, at] of axes) {
      const span = clamp((view[high] - view[low]) * factor, SMALLEST, 1);
      const middle = view[low] + (view[high] - view[low]) * at;
      view[low] = clamp(middle - span * at, 0, 1 - span);
      view[high] = view[low] + span;
    }
    update();
  }

  function pan(dx, dy) {
    for (const [low, high, by] of [["left", "right", dx], ["top", "bottom", dy]]) {
      const span = view[high] - view[low];
      view[low] = clamp(view[low] + by * span, 0, 1 - span);
      view[high] = view[low] + span;
    }
    update();
  }

  const zoomed = () => view.right - view.left < 1 || view.bottom - view.top < 1;

  class Pane {
    constructor(what) {
      const fit = state.fits[what];
      const both = fit && state.original;
      const beside = both && state.zooms === "none"; // several views in a picture: two of them cannot be swiped
      this.what = what;
      this.name = make("span", { class: "ecop-name" });
      this.note = make("span", { class: "ecop-note" });
      this.stage = make("div", { class: "ecop-stage", tabindex: "0", role: "group", "aria-label": "picture" });
      const [height, width] = state.size;
      this.stage.style.aspectRatio = beside ? "auto" : `${width} / ${height}`;
      this.stage.classList.toggle("beside", Boolean(beside));
      if (state.original) this.original = this.add("original", false, "The original");
      if (fit) this.field = this.add(String(what), true, `The field from ${fit.title}`);
      this.element = make("figure", { class: "ecop-pane" }, make("figcaption", {}, this.name, this.note), this.stage);
      this.element.style.maxWidth = beside ? "" : `calc(70vh * ${width / height})`;
      if (beside) this.addTags(this.original, this.field);
      else if (both) this.addSwipe();
      if (state.zooms !== "none") this.addButtons();
      this.listen();
    }

    add(what, quick, alt) {
      const image = make("img", { class: "ecop-window", alt, draggable: "false" });
      const holder = make("div", { class: "ecop-holder" }, image);
      this.stage.append(holder);
      pictures.push(new Picture(image, windowAddress(what, this.stage, quick)));
      return holder;
    }

    addTags(left, right) {
      this.tags = [make("span", { class: "ecop-tag left" }, "original"), make("span", { class: "ecop-tag right" }, "field")];
      left.append(this.tags[0]);
      right.append(this.tags[1]);
    }

    addSwipe() {
      this.line = make("div", { class: "ecop-line" });
      this.stage.append(this.line);
      this.addTags(this.stage, this.stage);
      const label = "How far the original reaches from the left";
      this.range = make("input", { type: "range", class: "ecop-split", min: "0", max: "1", step: "0.01", "aria-label": label });
      this.range.addEventListener("input", () => swipe(Number(this.range.value)));
      this.element.append(this.range);
    }

    addButtons() {
      const button = (label, title, action) => {
        const made = make("button", { type: "button", title, "aria-label": title }, label);
        made.addEventListener("click", action);
        return made;
      };
      this.whole = button("Whole", "Show all of it", () => { view = { ...WHOLE }; update(); });
      const buttons = [button("+", "Zoom in", () => zoom(0.5)), button("−", "Zoom out", () => zoom(2)), this.whole];
      this.buttons = make("div", { class: "ecop-buttons" }, ...buttons);
      this.element.append(this.buttons);
    }

    listen() {
      const { stage } = this;
      const down = new Map();
      let apart = 0;
      const share = (event) => {
        const box = stage.getBoundingClientRect();
        return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
      };
      stage.addEventListener("pointerdown", (event) => {
        down.set(event.pointerId, share(event));
        stage.setPointerCapture(event.pointerId);
        if (!zoomed() && down.size === 1 && this.line) swipe(clamp(share(event)[0], 0, 1));
      });
      stage.addEventListener("pointermove", (event) => {
        if (!down.has(event.pointerId)) return;
        const [before, now] = [down.get(event.pointerId), share(event)];
        down.set(event.pointerId, now);
        if (down.size === 2) {
          const [a, b] = [...down.values()];
          const distance = Math.hypot(a[0] - b[0], a[1] - b[1]);
          if (apart > 0 && distance > 0) zoom(apart / distance, (a[0] + b[0]) / 2, (a[1] + b[1]) / 2);
          apart = distance;
        } else if (zoomed()) pan(before[0] - now[0], before[1] - now[1]);
        else if (this.line) swipe(clamp(now[0], 0, 1));
      });
      for (const kind of ["pointerup", "pointercancel"]) {
        stage.addEventListener(kind, (event) => { down.delete(event.pointerId); apart = 0; });
      }
      stage.addEventListener("dblclick", (event) => zoom(0.5, ...share(event)));
      stage.addEventListener("wheel", (event) => {
        if (!event.ctrlKey && !zoomed()) return; // the page scrolls
        event.preventDefault();
        zoom(Math.exp(clamp(event.deltaY, -50, 50) / 200), ...share(event));
      }, { passive: false });
      const moves = { ArrowLeft: [-0.2, 0], ArrowRight: [0.2, 0], ArrowUp: [0, -0.2], ArrowDown: [0, 0.2] };
      stage.addEventListener("keydown", (event) => {
        if (event.key === "+") zoom(0.5);
        else if (event.key === "-") zoom(2);
        else if (event.key === "0") { view = { ...WHOLE }; update(); }
        else if (event.key in moves && zoomed()) pan(...moves[event.key]);
        else return;
        event.preventDefault();
      });
    }

    refresh() {
      const fit = state.fits[this.what];
      const own = fit ? Math.min(step, fit.steps) : 0;
      this.name.textContent = fit ? fit.title : "original";
      const reached = fit?.psnr[fit.opened ? fit.psnr.length - 1 : own];
      this.note.textContent = reached === undefined ? "" : `${reached.toFixed(1)} dB after ${fit.opened ? fit.psnr.length - 1 : own} steps`;
      this.stage.classList.toggle("zoomed", zoomed());
      if (this.whole) this.whole.disabled = !zoomed();
      if (!this.line) return;
      this.field.style.clipPath = `inset(0 0 0 ${100 * split}%)`;
      this.line.style.left = `${100 * split}%`;
      this.range.value = String(split);
      this.tags[0].style.opacity = split > 0.18 ? 1 : 0;
      this.tags[1].style.opacity = split < 0.82 ? 1 : 0;
    }
  }

  function swipe(to) {
    split = to;
    for (const pane of panes) pane.refresh();
  }

  function map(what, name, title) {
    const image = make("img", { class: "ecop-map", alt: title });
    const note = make("span", { class: "ecop-note" });
    const address = () => `${base()}/${what}/${Math.min(step, state.fits[what]?.steps ?? 0)}/${name}.png?depth=${depth()}`;
    pictures.push(new Picture(image, address, (found) => { note.textContent = found || ""; }));
    return make("figure", {}, make("figcaption", {}, make("span", {}, title), note), image);
  }

  function curve() {
    const image = make("img", { class: "ecop-curve", alt: "PSNR before each step and after the last" });
    const taken = () => state.fits.reduce((sum, fit) => sum + fit.steps, 0);
    pictures.push(new Picture(image, () => `${base()}/curve.svg?step=${step}&taken=${taken()}`));
    return make("figure", {}, make("figcaption", {}, make("span", {}, "PSNR over the steps")), image);
  }

  function buildMaps() {
    const figures = [];
    state.fits.forEach((fit, what) => {
      const of = state.fits.length > 1 ? `, ${fit.title}` : "";
      if (fit.maps && fit.kept) figures.push(map(what, "kept", `Kept points${of}`));
      if (fit.maps) figures.push(map(what, "error", `Error${of}`));
    });
    if (state.fits.some((fit) => fit.psnr.length > 1)) figures.unshift(curve());
    $("ecop-maps").replaceChildren(...figures);
  }

  function buildPlayers() {
    const made = [];
    if (state.player === "audio" || state.player === "video") {
      const whats = [...(state.original ? ["original"] : []), ...state.fits.keys()];
      for (const what of whats) {
        const player = make(state.player, { controls: "", preload: "auto", "data-what": what });
        if (state.player === "video") Object.assign(player, { loop: true, muted: true, playsInline: true });
        const title = what === "original" ? "Original" : `Field from ${state.fits[what].title}`;
        made.push(make("figure", {}, make("figcaption", {}, make("span", {}, title)), player));
      }
    }
    $("ecop-players").replaceChildren(...made);
  }

  // Players follow the step once it rests and the fit is done: a sound that changes while it plays helps nobody.
  function play() {
    for (const player of document.querySelectorAll("#ecop-players [data-what]")) {
      const fit = state.fits[player.dataset.what];
      if (fit && !fit.done) continue;
      const address = `${base()}/${player.dataset.what}/${fit ? Math.min(step, fit.steps) : 0}/play`;
      if (player.dataset.address !== address) {
        player.dataset.address = address;
        player.src = address;
      }
    }
  }

  async function save(button, address, message) {
    message.textContent = "";
    button.disabled = true;
    const answer = await fetch(address);
    button.disabled = false;
    if (answer.status !== 200) {
      message.textContent = (await answer.text()) || "It shows something else by now.";
      return;
    }
    const name = /filename="?([^";]+)"?/.exec(answer.headers.get("content-disposition") || "");
    const content = URL.createObjectURL(await answer.blob());
    make("a", { href: content, download: name ? name[1] : "ecop" }).click();
    setTimeout(() => URL.revokeObjectURL(content), 1000);
  }

  function buildDownloads() {
    const rows = state.fits.filter((fit) => fit.done).map((fit) => {
      const what = state.fits.indexOf(fit);
      const message = make("p", { class: "ecop-message", role: "alert" });
      const scale = make("select", { "aria-label": "How large the render is" },
        ...[1, 2, 4, 8].map((times) => make("option", { value: times }, `${times}×`)));
      const button = (name, label) => {
        const made = make("button", { type: "button", "data-name": name }, label);
        const query = () => `scale=${scale.value}&layer=${layer}`;
        const address = () => `${base()}/${what}/${Math.min(step, fit.steps)}/download/${name}?${query()}`;
        made.addEventListener("click", () => save(made, address(), message));
        return made;
      };
      const size = `${Math.round(fit.bytes / 1000)} kB`;
      const parts = [button("field", `Field (${size})`), make("span", { class: "ecop-joined" }, button("render", "Render"), scale),
        button("pictures", "Pictures")];
      return make("div", { class: "ecop-row" }, make("span", { class: "ecop-name" }, `Download ${fit.title}`), ...parts, message);
    });
    $("ecop-downloads").replaceChildren(...rows);
  }

  function same(old) {
    const names = (one) => one.fits.map((fit) => fit.title + fit.done + fit.maps).join();
    return old.edition === state.edition && old.key === state.key && names(old) === names(state);
  }

  function show() {
    const found = $("ecop-state")?.dataset.state;
    if (!found || found === text || !$("ecop-panes") || !$("ecop-downloads")) return;
    text = found;
    const old = state;
    state = JSON.parse(found);
    if (state.step !== null && state.step !== undefined) step = state.step;
    if (old.edition !== state.edition || old.key !== state.key) {
      layer = Math.floor((state.layers || 1) / 2);
      if (JSON.stringify(old.size) !== JSON.stringify(state.size)) view = { ...WHOLE };
    }
    if (!same(old)) build();
    update();
    // On a narrow screen the results begin below what was chosen.
    if (state.fits.length && !old.fits.length) {
      const top = $("ecop-results").getBoundingClientRect().top;
      if (top > window.innerHeight / 2) window.scrollBy({ top: top - 12, behavior: "smooth" });
    }
  }

  function build() {
    pictures = [];
    const whats = state.fits.length ? [...state.fits.keys()] : state.original ? [-1] : [];
    panes = whats.map((what) => new Pane(what));
    $("ecop-panes").replaceChildren(...panes.map((pane) => pane.element));
    $("ecop-panes").classList.toggle("two", panes.length > 1);
    buildMaps();
    buildPlayers();
    buildDownloads();
  }

  window.ecop = {
    goTo(to) { if (to !== step) { step = to; update(); } },
    toLayer(to) { if (to !== layer) { layer = to; update(); } },
  };
  new MutationObserver(show).observe(document.documentElement, {
    childList: true, subtree: true, attributes: true, attributeFilter: ["data-state"],
  });
  window.addEventListener("resize", () => update());
})();
