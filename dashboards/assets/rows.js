/* A tile's table, drawn as one component: Dash minds each component of a page at every change, cells would be thousands. */
(() => {
  "use strict";
  const make = (...asked) => window.React.createElement(...asked);

  // What leads somewhere is a link, so that the keyboard reaches it; the first cell of a row names it.
  const line = (heads, row) => row.map(([text, href], place) => make(
    place ? "td" : "th",
    { key: place, className: heads[place][1] ? "num" : "", "data-label": heads[place][0], ...(place ? {} : { scope: "row" }) },
    href ? make("a", { href }, text) : text,
  ));

  const Rows = ({ caption, heads, rows, total, more }) => make("table", { className: "boards-table" },
    make("caption", { className: "vh" }, caption),
    make("thead", null, make("tr", null, heads.map(([label, numeric], place) =>
      make("th", { key: place, className: numeric ? "num" : "", scope: "col" }, label)))),
    make("tbody", null,
      rows.map((row, place) => make("tr", { key: place }, line(heads, row))),
      more ? make("tr", null, make("td", { colSpan: heads.length, className: "muted" }, more)) : null),
    total.length ? make("tfoot", null, make("tr", null, line(heads, total))) : null,
  );

  window.dashboards = { Rows };
})();
