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

  // Forms that ask first. The question repeats amount and counterparty; the server checks everything again.
  document.addEventListener("submit", event => {
    const form = event.target;
    const text = event.submitter?.dataset.confirm ?? form.dataset.confirm;
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

  // Countdowns: the server says until when; here they only run.
  const pad = number => String(number).padStart(2, "0");
  const tick = () => all("[data-until]").forEach(clock => {
    const seconds = Math.floor((Date.parse(clock.dataset.until) - Date.now()) / 1000);
    const size = Math.abs(seconds);
    const [hours, minutes, rest] = [Math.floor(size / 3600), Math.floor(size / 60) % 60, size % 60];
    const sign = seconds < 0 ? "−" : "";
    clock.textContent = hours >= 48
      ? `${sign}${Math.floor(hours / 24)}d ${pad(hours % 24)}h`
      : `${sign}${hours ? pad(hours) + ":" : ""}${pad(minutes)}:${pad(rest)}`;
    clock.classList.toggle("past", seconds < 0);
    clock.classList.toggle("soon", seconds >= 0 && seconds < 300);
  });
  if ($("[data-until]")) setInterval(tick, 1000);

  // After an action the address says where the page really lives, so that reloading repeats nothing.
  const home = $("[data-canonical]");
  if (home) history.replaceState(null, "", home.dataset.canonical);
})();
