/* The portal's own script: keys, menus, dialogs, copying, countdowns. Small, no inline handlers, works without. */
(() => {
  "use strict";
  const $ = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const root = document.documentElement;

  // The drawer of narrow screens.
  const drawer = open => {
    root.dataset.drawer = open ? "open" : "";
    const button = $("[data-drawer][aria-controls]");
    if (button) button.setAttribute("aria-expanded", String(open));
    if (open) $(".side a")?.focus();
  };

  // Menus: one open at a time; a click elsewhere or Escape closes.
  const closeMenus = except => all("details.menu[open]").forEach(menu => {
    if (menu !== except && !menu.contains(except)) menu.open = false;
  });

  // A filter's fields near the edge open towards the middle, so that the page never scrolls sideways.
  const within = menu => {
    const sheet = $(".sheet", menu);
    if (!sheet || !menu.open || !menu.closest(".bar")) return;
    sheet.classList.remove("turned");
    const { left, right } = sheet.getBoundingClientRect();
    sheet.classList.toggle("turned", right > root.clientWidth || left < 0);
  };
  document.addEventListener("toggle", event => { if (event.target.matches?.("details.menu")) within(event.target); }, true);
  all("details.menu[open]").forEach(within);

  const toast = text => {
    const box = $("#toast");
    if (!box) return;
    box.textContent = text;
    box.hidden = false;
    clearTimeout(toast.timer);
    toast.timer = setTimeout(() => { box.hidden = true; }, 1600);
  };

  const copy = async text => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = Object.assign(document.createElement("textarea"), { value: text });
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    toast(`${$("#toast")?.dataset.copied ?? ""} ${text}`);
  };

  document.addEventListener("click", event => {
    const hit = selector => event.target.closest(selector);
    closeMenus(hit("details.menu"));
    const copied = hit("[data-copy]");
    if (copied) { event.preventDefault(); copy(copied.dataset.copy); return; }
    if (hit("button[data-drawer]")) { drawer(root.dataset.drawer !== "open"); return; }
    if (hit("[data-close-drawer]")) { drawer(false); return; }
    const opener = hit("[data-open]");
    if (opener) { closeMenus(); $(`#${CSS.escape(opener.dataset.open)}`)?.showModal(); return; }
    if (hit("[data-close]")) { hit("dialog")?.close(); return; }
    if (hit("[data-print]")) { window.print(); }
  });

  // Forms that stay: a refusal is told at its field and nothing typed is lost. What cannot be told so is sent as ever.
  const clear = form => {
    all("[data-told]", form).forEach(said => said.remove());
    all("[data-told-by]", form).forEach(field => {
      field.removeAttribute("aria-invalid");
      field.removeAttribute("aria-describedby");
      if (field.dataset.toldBy) field.setAttribute("aria-describedby", field.dataset.toldBy);
      delete field.dataset.toldBy;
    });
  };
  const tell = (form, { detail, code, field: name, link }) => {
    const field = name ? form.elements.namedItem(name) : null;
    const said = document.createElement("span");
    Object.assign(said, { className: "err", id: "told", tabIndex: -1, role: "alert", textContent: `${detail} ` });
    said.dataset.told = "";
    said.append(Object.assign(document.createElement("code"), { textContent: `[${code}]` }));
    if (link) said.append(" ", Object.assign(document.createElement("a"), { href: link.href, textContent: link.text }));
    const box = field?.closest?.(".field");
    if (box) {
      field.dataset.toldBy = field.getAttribute("aria-describedby") ?? "";
      field.setAttribute("aria-invalid", "true");
      field.setAttribute("aria-describedby", "told");
      box.append(said);
      field.focus();
    } else {
      const last = $(".row,.acts", form);
      if (last) last.before(said); else form.append(said);
      said.focus();
    }
  };
  // An answer that is a page of its own and is shown once: it takes this one's place, and nothing is sent again.
  const become = html => {
    const page = new DOMParser().parseFromString(html, "text/html");
    const known = all("link[rel=stylesheet]").map(link => link.getAttribute("href"));
    all("link[rel=stylesheet]", page).filter(link => !known.includes(link.getAttribute("href")))
      .forEach(link => document.head.append(document.importNode(link, true)));
    $("#main").replaceWith(document.importNode($("#main", page), true));
    document.title = page.title;
    settle();
    scrollTo(0, 0);
    $("#main").focus({ preventScroll: true });
  };
  const stay = async (form, submitter) => {
    clear(form);
    const body = new FormData(form, submitter);
    try {
      const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" } });
      const told = answer.ok && answer.headers.get("Content-Type")?.startsWith("application/json") ? await answer.json() : null;
      if (told?.to) { location.assign(told.to); return; }
      delete form.dataset.sent;
      delete form.dataset.sure;
      if (told?.code) { tell(form, told); return; }
      if (told?.page) { become(told.page); return; }
      form.submit();
      form.closest("dialog")?.close();  // a file comes, and the page stays
    } catch {
      delete form.dataset.sent;
      delete form.dataset.sure;
      tell(form, { detail: $("#toast")?.dataset.lost ?? "", code: "unavailable" });
    }
  };
  document.addEventListener("input", event => {
    if ("toldBy" in event.target.dataset) clear(event.target.form);
  });
  // An address may name the dialog that it leads to.
  const asked = location.hash.startsWith("#ask-") ? document.getElementById(location.hash.slice(1)) : null;
  if (asked instanceof HTMLDialogElement) asked.showModal();
  const refusedDialog = $("dialog[data-refused]");
  if (refusedDialog) { refusedDialog.close(); refusedDialog.showModal(); $("[aria-invalid=true]", refusedDialog)?.focus(); }

  // Forms that ask first. The question repeats amount and counterparty; the server checks everything again.
  document.addEventListener("submit", event => {
    const form = event.target;
    const chosen = $(":checked[data-confirm]", form);
    const text = event.submitter?.dataset.confirm ?? chosen?.dataset.confirm ?? form.dataset.confirm;
    const dialog = $("#confirm");
    if (text && dialog && !form.dataset.sure) {
      event.preventDefault();
      $("[data-text]", dialog).textContent = text;
      dialog.returnValue = "";
      $("[data-go]", dialog).onclick = () => {
        form.dataset.sure = "yes";
        dialog.close();
        form.requestSubmit(event.submitter ?? undefined);
      };
      dialog.showModal();
      return;
    }
    // A second click while the first is under way does nothing.
    if (form.method === "post") {
      if (form.dataset.sent) { event.preventDefault(); return; }
      form.dataset.sent = "yes";
      if ("keep" in form.dataset) { event.preventDefault(); stay(form, event.submitter); return; }
      setTimeout(() => { delete form.dataset.sent; delete form.dataset.sure; }, 4000);
    } else {
      // Empty filters stay out of the address.
      all("input,select", form).forEach(field => { if (!field.value) field.disabled = true; });
      setTimeout(() => all("input,select", form).forEach(field => { field.disabled = false; }), 0);
    }
  });

  // Rows: j and k move, Enter opens, the mouse opens what has an address.
  const rows = () => all("table.list tbody tr[data-href]");
  const move = step => {
    const list = rows();
    if (!list.length) return;
    const now = list.findIndex(row => row.classList.contains("sel"));
    const next = Math.max(0, Math.min(list.length - 1, now + step));
    list.forEach((row, index) => row.classList.toggle("sel", index === next));
    list[next].scrollIntoView({ block: "nearest" });
    // The focus goes along, so that a reader hears the row and Tab goes on from there.
    all("a[href]", list[next]).find(link => link.getAttribute("href") === list[next].dataset.href)?.focus({ preventScroll: true });
  };
  document.addEventListener("dblclick", event => {
    const row = event.target.closest("tr[data-href]");
    if (row && !event.target.closest("a,button,input,label")) location.assign(row.dataset.href);
  });

  document.addEventListener("keydown", event => {
    if (event.key === "Escape") { closeMenus(); drawer(false); return; }
    const typing = event.target.closest("input,textarea,select,[contenteditable]");
    if (typing || event.ctrlKey || event.metaKey || event.altKey || $("dialog[open]")) return;
    if (event.key === "/") { event.preventDefault(); $("#find")?.focus(); }
    else if (event.key === "?") { $("#keys")?.showModal(); }
    else if (event.key === "j") { move(1); }
    else if (event.key === "k") { move(-1); }
    else if (event.key === "Enter" && !event.target.closest("a,button,summary")) {
      const row = $("table.list tr.sel[data-href]");
      if (row) location.assign(row.dataset.href);
    } else {
      const wanted = $(`[data-key="${CSS.escape(event.key)}"]`);
      if (wanted) { event.preventDefault(); wanted.click(); }
    }
  });

  // Choosing rows for one action on many.
  const bulk = $("[data-bulk]");
  if (bulk) {
    const picks = () => all("input[name=rowid]");
    const show = () => {
      const chosen = picks().filter(box => box.checked).length;
      bulk.hidden = chosen === 0;
      const count = $("[data-chosen]", bulk);
      if (count) count.textContent = String(chosen);
    };
    document.addEventListener("change", event => {
      if (event.target.matches("[data-pick-all]")) picks().forEach(box => { box.checked = event.target.checked; });
      show();
    });
    show();
  }

  // Countdowns: until when is the server's word, and so is what time it is. A page that comes fresh from the server
  // shows how far this machine's clock is off; waking from sleep changes nothing of that.
  const arrived = performance.getEntriesByType("navigation")[0];
  const time = { off: 0, set: at => { const off = Date.parse(at) - Date.now(); if (!Number.isNaN(off)) time.off = off; } };
  if (arrived?.transferSize > 0 && root.dataset.now) {
    time.off = Date.parse(root.dataset.now) - (Date.now() - performance.now() + arrived.responseStart);
  }
  const pad = number => String(number).padStart(2, "0");
  const tick = () => all("[data-until]").forEach(clock => {
    const seconds = Math.floor((Date.parse(clock.dataset.until) - Date.now() - time.off) / 1000);
    const size = Math.abs(seconds);
    const [hours, minutes, rest] = [Math.floor(size / 3600), Math.floor(size / 60) % 60, size % 60];
    const sign = seconds < 0 ? "−" : "";
    clock.textContent = hours >= 48
      ? sign + root.dataset.days.replace("%d", Math.floor(hours / 24)).replace("%h", pad(hours % 24))
      : `${sign}${hours ? pad(hours) + ":" : ""}${pad(minutes)}:${pad(rest)}`;
    clock.classList.toggle("past", seconds < 0);
    clock.classList.toggle("soon", seconds >= 0 && seconds < 300);
  });
  setInterval(tick, 1000);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) tick(); });
  window.deskTime = time;

  // The menu's numbers, as a page that asks for news is told them.
  window.deskMenu = counts => Object.entries(counts ?? {}).forEach(([name, { text, hot }]) => {
    const line = $(`a.nav[data-item="${CSS.escape(name)}"]`);
    if (!line) return;
    const count = $(".count", line) ?? (text && line.appendChild(document.createElement("span")));
    if (!count) return;
    if (!text) { count.remove(); return; }
    count.className = hot ? "count hot" : "count";
    if (count.textContent !== text) count.textContent = text;
  });

  // After an action the address says where the page really lives, so that reloading repeats nothing.
  const settle = () => {
    const home = $("[data-canonical]");
    if (home) history.replaceState(null, "", home.dataset.canonical);
    tick();
  };
  settle();
})();
