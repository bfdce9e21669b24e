"use strict";
// Comfort for who has scripts on: sorting and filtering tables, zooming the time line. All data is on the page without it.
(() => {
  const key = (row, at) => {
    const cell = row.cells[at];
    return "sort" in cell.dataset ? Number(cell.dataset.sort) : cell.textContent;
  };
  const compare = (one, other) => typeof one === "number" && typeof other === "number"
    ? one - other : String(one) < String(other) ? -1 : String(one) > String(other) ? 1 : 0;
  for (const table of document.querySelectorAll("table.sortable")) {
    const body = table.tBodies[0], rows = [...body.rows];
    if (rows.length < 2) continue;
    [...table.tHead.rows[0].cells].forEach((head, at) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const sorted = rows.map((row, place) => [key(row, at), place, row]);
        sorted.sort((one, other) => (down ? -1 : 1) * compare(one[0], other[0]) || one[1] - other[1]);
        body.append(...sorted.map(entry => entry[2]));
      });
    });
    if (rows.length < 6) continue;
    const filter = document.createElement("input");
    filter.type = "search";
    filter.className = "filter";
    filter.placeholder = "filter these rows";
    filter.setAttribute("aria-label", "Filter the rows of: " + table.caption.textContent);
    filter.addEventListener("input", () => {
      const wanted = filter.value.toLowerCase();
      for (const row of rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
    });
    table.parentElement.before(filter);
  }
  for (const lanes of document.querySelectorAll(".lanes")) {
    const from = Number(lanes.dataset.from), to = Number(lanes.dataset.to);
    const left = Number(lanes.dataset.left), right = Number(lanes.dataset.right);
    let middle = (from + to) / 2, span = to - from;
    if (!(span > 0)) continue;
    const place = at => left + (at - (middle - span / 2)) / span * (right - left);
    const clamp = x => Math.min(Math.max(x, left), right);
    const draw = () => {
      for (const part of lanes.querySelectorAll(".zoom")) {
        const x = place(Number(part.dataset.t));
        if ("t2" in part.dataset) {
          part.setAttribute("x1", clamp(x));
          part.setAttribute("x2", clamp(place(Number(part.dataset.t2))));
          continue;
        }
        part.setAttribute("visibility", x < left || x > right ? "hidden" : "visible");
        for (const name of ["x", "x1", "x2", "cx"]) if (part.hasAttribute(name)) part.setAttribute(name, x);
      }
    };
    const bar = document.createElement("div");
    bar.className = "zoom-bar";
    const add = (label, meaning, act) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = label;
      button.setAttribute("aria-label", meaning);
      button.addEventListener("click", () => { act(); draw(); });
      bar.append(button);
    };
    add("+", "+ zoom in on the time line", () => { span = Math.max(span / 2, 1000); });
    add("\u2212", "\u2212 zoom out of the time line", () => { span = Math.min(span * 2, to - from); middle = Math.min(Math.max(middle, from + span / 2), to - span / 2); });
    add("\u2190", "\u2190 earlier on the time line", () => { middle = Math.max(middle - span / 4, from + span / 2); });
    add("\u2192", "\u2192 later on the time line", () => { middle = Math.min(middle + span / 4, to - span / 2); });
    add("all", "all of the time line", () => { middle = (from + to) / 2; span = to - from; });
    lanes.before(bar);
  }
})();
