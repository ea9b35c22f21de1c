/* The tree of agents: branches shut and open by their button, or by h and l on the chosen row. Works without: all open. */
(() => {
  "use strict";
  const rows = [...document.querySelectorAll("table.tree tbody tr")];
  const level = row => Number(row.dataset.level);

  // A row that is not shown has no address, so that j and k pass it by.
  const show = (row, shown) => {
    row.hidden = !shown;
    if (shown && row.dataset.kept) { row.dataset.href = row.dataset.kept; delete row.dataset.kept; }
    if (!shown && row.dataset.href) { row.dataset.kept = row.dataset.href; delete row.dataset.href; row.classList.remove("sel"); }
  };
  const draw = () => {
    let shutAt = Infinity;
    rows.forEach(row => {
      if (level(row) <= shutAt) shutAt = Infinity;
      show(row, shutAt === Infinity);
      const twist = row.querySelector("button.twist");
      if (shutAt === Infinity && twist?.getAttribute("aria-expanded") === "false") shutAt = level(row);
    });
  };
  const turn = (twist, open) => { twist?.setAttribute("aria-expanded", String(open)); };

  document.addEventListener("click", event => {
    const twist = event.target.closest("button.twist");
    const all = event.target.closest("[data-tree]");
    if (twist) turn(twist, twist.getAttribute("aria-expanded") !== "true");
    else if (all) rows.forEach(row => turn(row.querySelector("button.twist"), all.dataset.tree === "open"));
    else return;
    draw();
  });
  document.addEventListener("keydown", event => {
    if (event.target.closest("input,textarea,select,dialog") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key !== "h" && event.key !== "l") return;
    const row = rows.find(each => each.classList.contains("sel"));
    if (!row) return;
    turn(row.querySelector("button.twist"), event.key === "l");
    draw();
  });
})();
