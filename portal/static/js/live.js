/* The acceptor's live desk: news every few seconds, a sound and a number in the title for new claims, keys. */
(() => {
  "use strict";
  const $ = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const board = $("#live");
  if (!board) return;
  const list = () => all(".live-order", board);
  const title = document.title;
  let claims = new Set(board.dataset.claims.split(" ").filter(Boolean));
  let offers = new Set(list().map(order => order.dataset.ref));
  let heardAt = Date.parse(document.documentElement.dataset.now);
  let unseen = 0;
  let last = "";
  let picked = "";

  // Sound and desktop notices begin with the user's own click: browsers ask for that.
  let audio = null;
  const sound = $("[data-sound]");
  sound?.addEventListener("click", () => {
    const on = sound.getAttribute("aria-pressed") !== "true";
    sound.setAttribute("aria-pressed", String(on));
    $("span", sound).textContent = on ? sound.dataset.on : sound.dataset.off;
    if (on) {
      audio ??= new AudioContext();
      beep();
      if ("Notification" in window && Notification.permission === "default") Notification.requestPermission();
    }
  });
  const beep = () => {
    if (!audio || sound?.getAttribute("aria-pressed") !== "true") return;
    [0, 0.18].forEach((wait, index) => {
      const tone = audio.createOscillator();
      const volume = audio.createGain();
      tone.frequency.value = index ? 988 : 740;
      volume.gain.setValueAtTime(0.16, audio.currentTime + wait);
      volume.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + wait + 0.16);
      tone.connect(volume).connect(audio.destination);
      tone.start(audio.currentTime + wait);
      tone.stop(audio.currentTime + wait + 0.17);
    });
  };

  const name = () => { document.title = unseen ? `(${unseen}) ${title}` : title; };
  const seen = () => { unseen = 0; name(); };
  document.addEventListener("visibilitychange", () => { if (!document.hidden) seen(); });
  document.addEventListener("pointerdown", seen);

  const pick = ref => {
    picked = ref;
    list().forEach(order => order.classList.toggle("sel", order.dataset.ref === ref));
    $(".live-order.sel", board)?.scrollIntoView({ block: "nearest" });
  };

  const draw = news => {
    if (news.html !== last) {
      const had = new Set(list().map(order => order.dataset.ref));
      const within = order => all("a[href],button", order);
      const order = document.activeElement?.closest?.(".live-order");
      const place = order ? within(order).indexOf(document.activeElement) : -1;
      board.innerHTML = news.html;
      if (last) list().filter(order => !had.has(order.dataset.ref)).forEach(order => order.classList.add("new"));
      last = news.html;
      if (picked) pick(picked);
      // Whoever stood on a link or button of an order stands on the same one after it was drawn anew.
      const again = order && $(`.live-order[data-ref="${CSS.escape(order.dataset.ref)}"]`, board);
      if (again) (within(again)[place] ?? within(again).at(-1))?.focus({ preventScroll: true });
    }
    $("#figures").innerHTML = news.figures;
    // Drawn anew only when it says something else, so that it is read aloud once.
    const standing = document.createElement("div");
    standing.innerHTML = news.standing;
    const before = $("#standing");
    if (standing.textContent.trim() !== before.textContent.trim()) before.replaceChildren(...standing.childNodes);
    $("#state").innerHTML = news.state;
  };

  // What is new is said aloud and counted even while a dialog is open. Of more orders than are listed, one that moves up
  // into the list came long before: that is no news.
  const MINUTE = 60000;
  const heard = $("#heard");
  const notice = news => {
    const moved = ref => Date.parse(news.came[ref]) < heardAt - MINUTE;
    const came = Object.entries(news.offers).filter(([ref]) => !offers.has(ref) && !moved(ref));
    offers = new Set(Object.keys(news.offers));
    const fresh = news.claims.filter(ref => !claims.has(ref) && !moved(ref));
    claims = new Set(news.claims);
    heardAt = Date.parse(news.at);
    if (fresh.length) {
      unseen += fresh.length;
      name();
      beep();
      heard.textContent = board.dataset.arrived.replace("%s", fresh.map(ref => news.offers[ref] ?? ref).join(", "));
      if (document.hidden && "Notification" in window && Notification.permission === "granted") {
        new Notification(board.dataset.arrived.replace("%s", fresh.join(", ")));
      }
    } else if (came.length) {
      heard.textContent = board.dataset.offered.replace("%s", came.map(([, amount]) => amount).join(", "));
    }
  };

  const pulse = $("#pulse");
  const alive = well => {
    if (pulse.classList.contains("lost") === well) {
      pulse.classList.toggle("lost", !well);
      pulse.textContent = well ? pulse.dataset.live : pulse.dataset.lost;
    }
  };
  const ask = async () => {
    try {
      const answer = await fetch(board.dataset.news, { headers: { Accept: "application/json" }, redirect: "error" });
      if (answer.status === 401) { location.reload(); return; }
      if (!answer.ok) throw new Error(String(answer.status));
      // While somebody types into the dialog the list stays as it is: nothing jumps under the hand.
      const news = await answer.json();
      window.deskTime?.set(news.at);
      window.deskMenu?.(news.menu);
      notice(news);
      // Taken for silent and heard again: the page says so, unless somebody is typing into it.
      if (news.back && !$("dialog[open]")) { location.reload(); return; }
      if (!$("dialog[open]")) draw(news);
      alive(true);
    } catch {
      alive(false);
    }
    setTimeout(ask, board.dataset.every * 1000);
  };
  setTimeout(ask, board.dataset.every * 1000);

  // Confirming: the dialog repeats what is due; another amount is asked about once more before it is sent.
  const dialog = $("#ask-confirm");
  let due = "";
  const open = order => {
    if (!dialog || !order?.dataset.confirmHref) return;
    const form = $("form", dialog);
    form.action = order.dataset.confirmHref;
    if (form.dataset.order !== order.dataset.ref) {
      all("input:not([type=hidden])", form).forEach(field => { field.value = ""; });
      all("[data-told],.err", form).forEach(said => said.remove());
      all("[aria-invalid]", form).forEach(field => field.removeAttribute("aria-invalid"));
    }
    form.dataset.order = order.dataset.ref;
    $("[data-due]", dialog).textContent = order.dataset.due;
    $("[data-other]", dialog).href = `${order.dataset.href}#ask-contest`;
    due = order.dataset.amount;
    dialog.showModal();
    $("#c-received", dialog).focus();
  };
  board.addEventListener("click", event => {
    if (event.target.closest("[data-confirm-order]")) open(event.target.closest(".live-order"));
  });
  $("#c-received")?.addEventListener("input", event => {
    const typed = event.target.value.trim();
    event.target.setAttribute("aria-invalid", String(typed !== "" && Number(typed) !== Number(due)));
  });

  document.addEventListener("keydown", event => {
    if (event.target.closest("input,textarea,select") || event.ctrlKey || event.metaKey || event.altKey) return;
    if ($("dialog[open]")) return;
    const shown = list();
    const now = shown.findIndex(order => order.dataset.ref === picked);
    if (event.key === "j" || event.key === "k") {
      if (shown.length) pick(shown[Math.max(0, Math.min(shown.length - 1, now + (event.key === "j" ? 1 : -1)))].dataset.ref);
    } else if (event.key === "c") {
      event.preventDefault();
      open(shown[now] ?? $(".live-order.claimed", board));
    } else if (event.key === "Enter" && shown[now] && !event.target.closest("a,button,summary")) {
      location.assign(shown[now].dataset.href);
    }
  });
})();
