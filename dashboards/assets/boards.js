/* The dashboards' own script: colours of the theme in force, the address as the state, marks that open their rows. */
(() => {
  "use strict";
  const root = document.documentElement;
  const REFRESH_MS = 30000;
  const IDLE_MS = 300000;

  const set = (id, props) => {
    try { window.dash_clientside.set_props(id, props); } catch { /* not drawn yet: it starts from the address */ }
  };

  // Figures name the look's variables; here they get the values of the theme in force.
  const resolved = (value, style) => {
    if (typeof value === "string") {
      return value.startsWith("var(--") ? style.getPropertyValue(value.slice(4, -1)).trim() || value : value;
    }
    if (Array.isArray(value)) return value.map(each => resolved(each, style));
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, resolved(each, style)]));
    }
    return value;
  };

  // Narrow charts write fewer labels below the axis, so that none runs into the next.
  const LABEL_PX = 64;
  const thinned = (figure, width) => {
    const axis = figure.layout.xaxis;
    if (!axis?.tickvals || !width) return figure;
    const step = Math.ceil(axis.tickvals.length / Math.max(2, Math.floor(width / LABEL_PX)));
    axis.tickvals = axis.tickvals.filter((_value, place) => place % step === 0);
    axis.ticktext = axis.ticktext.filter((_value, place) => place % step === 0);
    return figure;
  };

  // Names below a chart take as many rows as they need: the chart grows by these, so that none lies on the labels of
  // the axis and none is cut. Plotly gives a legend half of the height at most.
  const MARK_PX = 52;
  const ROW_PX = 19;
  const pen = document.createElement("canvas").getContext("2d");
  const legended = (figure, width) => {
    const names = figure.data.map(trace => trace.name).filter(Boolean);
    if (!width || figure.layout.showlegend === false || names.length < 2) return figure;
    pen.font = `12px ${getComputedStyle(document.body).fontFamily}`;
    const widest = Math.max(...names.map(name => pen.measureText(name).width));
    const rows = Math.ceil(names.length / Math.max(1, Math.floor(width / (widest + MARK_PX))));
    const below = rows * ROW_PX + 12;
    figure.layout.height = Math.max(figure.layout.height + (rows - 1) * ROW_PX, 2 * below);
    figure.layout.legend = { ...figure.layout.legend, yref: "container", y: 0, yanchor: "bottom" };
    return figure;
  };

  const system = matchMedia("(prefers-color-scheme: dark)");
  const theme = () => {
    const chosen = root.dataset.theme;
    return chosen === "dark" || (chosen !== "light" && system.matches) ? "dark" : "light";
  };
  const tell = () => set("theme", { data: theme() });
  new MutationObserver(tell).observe(root, { attributes: true, attributeFilter: ["data-theme"] });
  system.addEventListener("change", tell);

  // A chart is painted again only when it would look different: the same figures come twice a minute, and at each choice.
  const painted = new Map();
  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    boards: {
      paint(figure, theme) {
        const { no_update, callback_context } = window.dash_clientside;
        const id = callback_context?.outputs_list?.[0]?.id;
        const width = id && document.getElementById(id)?.parentElement?.clientWidth;
        const look = JSON.stringify([figure, theme, width]);
        if (painted.get(id) === look) return [no_update, no_update];
        painted.set(id, look);
        if (!figure) return [{ data: [], layout: {} }, { display: "none" }];
        const drawn = legended(thinned(resolved(figure, getComputedStyle(root)), width), width);
        return [drawn, { display: "block", height: `${drawn.layout.height}px` }];
      },
      open(click) {
        const href = click?.points?.[0]?.customdata;
        if (typeof href === "string" && /^\/[a-z]/.test(href)) location.assign(href);
        return window.dash_clientside.no_update;
      },
    },
  });

  // The controls and the address say the same; the back button takes both back.
  const bar = () => document.getElementById("boards-bar");
  const show = form => {
    const custom = form.elements.range.value === "custom";
    const days = form.querySelector("[data-days]");
    days.hidden = !custom;
    days.querySelectorAll("input").forEach(field => { field.disabled = !custom; });
    form.querySelectorAll("select").forEach(field => {
      field.classList.toggle("set", field.value !== "" && field.value !== field.dataset.usual);
    });
  };
  const search = form => {
    const said = new URLSearchParams();
    new FormData(form).forEach((value, name) => {
      const usual = form.elements[name].dataset.usual;
      if (value !== "" && value !== usual) said.set(name, value);
    });
    const text = said.toString();
    return text ? `?${text}` : "";
  };
  document.addEventListener("change", event => {
    const form = event.target.closest?.("#boards-bar");
    if (!form) return;
    // Another length of time has another usual bucket.
    if (["range", "from", "to"].includes(event.target.name) && form.elements.bucket) form.elements.bucket.value = "";
    show(form);
    if (form.checkValidity()) set("url", { search: search(form) });
  });
  document.addEventListener("submit", event => {
    if (event.target.id !== "boards-bar") return;
    event.preventDefault();
    set("url", { search: search(event.target) });
  });
  addEventListener("popstate", () => {
    const form = bar();
    if (!form) return;
    const said = new URLSearchParams(location.search);
    [...form.elements].forEach(field => {
      if (field.name) field.value = said.get(field.name) ?? field.dataset.usual ?? field.defaultValue;
    });
    show(form);
  });

  // Pictures of single charts.
  document.addEventListener("click", event => {
    const button = event.target.closest?.("[data-png]");
    const drawn = button && document.querySelector(`#${CSS.escape(button.dataset.png)} .js-plotly-plot`);
    if (drawn && window.Plotly) window.Plotly.downloadImage(drawn, { format: "png", scale: 2, filename: button.dataset.name });
  });

  // Whose session has ended is asked to sign in, instead of looking at figures that stand still.
  const plain = window.fetch;
  window.fetch = async (...asked) => {
    const answer = await plain(...asked);
    if (answer.status === 401) location.reload();
    return answer;
  };

  // Fresh figures twice a minute, but only for somebody who is there: an unwatched page must not keep a session alive.
  let used = Date.now();
  ["pointerdown", "keydown", "scroll", "focus"].forEach(kind => addEventListener(kind, () => { used = Date.now(); }, { passive: true }));
  setInterval(() => {
    if (!document.hidden && Date.now() - used < IDLE_MS) set("pulse", { data: Date.now() });
  }, REFRESH_MS);

  const start = () => { tell(); const form = bar(); if (form) show(form); };
  const waiting = setInterval(() => {
    if (document.getElementById("board")) { clearInterval(waiting); start(); }
  }, 50);
})();
