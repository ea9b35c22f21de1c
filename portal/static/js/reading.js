/* An alert that was handed out: while its page is open it stays its reader's, and goes back when the page is left. */
(() => {
  "use strict";
  const page = document.querySelector("[data-reading]");
  if (!page) return;
  const body = () => {
    const form = new FormData();
    form.set("csrf_token", page.dataset.token);
    return form;
  };
  const begun = Date.now();
  let deciding = false;
  const sign = setInterval(async () => {
    // A page that was forgotten keeps nobody out: after a quarter of an hour it gives no more signs.
    if (Date.now() - begun > 15 * 60 * 1000) { clearInterval(sign); return; }
    try {
      const answer = await fetch(page.dataset.reading, { method: "POST", body: body(), headers: { Accept: "application/json" } });
      if (answer.ok) window.deskMenu?.((await answer.json()).menu);
    } catch { /* the next sign tells */ }
  }, 45000);
  document.addEventListener("submit", event => { if (!event.defaultPrevented) deciding = true; });
  window.addEventListener("pagehide", () => {
    if (!deciding) navigator.sendBeacon(page.dataset.left, body());
  });
})();
