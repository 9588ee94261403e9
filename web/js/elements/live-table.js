import { h } from "../dom.js";

/** @typedef {import("../i18n.js").Key} Key */
/** @typedef {Node | string} Cell */

/**
 * A table whose values change in place: who reads or scrolls it keeps the place. It scrolls by itself where it is too
 * wide. The first cell of a row is its head.
 */
export class LiveTable extends HTMLElement {
  /** @param {Key} [label] @param {Key[]} [head] @param {string} [testid] */
  constructor(label = "stats.title", head = [], testid = "") {
    super();
    this.body = h("tbody", {});
    const cells = head.map((key) => h("th", { scope: "col", t: key }));
    this.table = h("table", { "data-testid": testid, tLabel: label }, h("thead", {}, h("tr", {}, ...cells)), this.body);
    this.label = label;
  }

  connectedCallback() {
    if (this.childElementCount) return;
    this.append(h("div", { class: "table-scroller", role: "region", tabindex: "0", tLabel: this.label }, this.table));
  }

  /** @param {Cell[][]} rows */
  show(rows) {
    this.hidden = !rows.length;
    while (this.body.rows.length > rows.length) this.body.lastElementChild?.remove();
    for (const [index, cells] of rows.entries()) this.showRow(this.body.rows[index] ?? this.body.insertRow(), cells);
  }

  /** @private @param {HTMLTableRowElement} row @param {Cell[]} cells */
  showRow(row, cells) {
    for (const [index, cell] of cells.entries()) {
      const place = row.children[index] ?? row.appendChild(index ? h("td", {}) : h("th", { scope: "row" }));
      const wanted = h(place.localName === "th" ? "th" : "td", {}, cell);
      if (!sameContent(place, wanted)) place.replaceChildren(...wanted.childNodes);
    }
  }
}

/** @param {Element} place @param {Element} wanted */
function sameContent(place, wanted) {
  const [before, after] = [place.childNodes, wanted.childNodes];
  return before.length === after.length && Array.from(before).every((node, index) => node.isEqualNode(after[index] ?? null));
}

customElements.define("vmeet-live-table", LiveTable);
