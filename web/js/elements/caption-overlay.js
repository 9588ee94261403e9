import { h } from "../dom.js";
import { ShownCaptions } from "../shown-captions.js";
import { hueOf } from "./tile.js";

/** @typedef {import("../protocol.js").CaptionEntry} CaptionEntry */
/** @typedef {import("../shown-captions.js").ShownCaption} ShownCaption */

/** What is being said, over the pictures; read out by screen readers when they have nothing else to say. */
export class CaptionOverlay extends HTMLElement {
  constructor() {
    super();
    this.captions = new ShownCaptions();
    /** @type {number | undefined} */
    this.timer = undefined;
  }

  connectedCallback() {
    this.dataset.testid = "captions";
    this.setAttribute("aria-live", "polite");
    this.show();
  }

  disconnectedCallback() {
    clearTimeout(this.timer);
  }

  /** @param {CaptionEntry} entry */
  add(entry) {
    this.captions.add(entry, nowS());
    this.show();
  }

  /** @param {boolean} shown */
  setShown(shown) {
    this.hidden = !shown;
    if (!shown) this.captions.clear(); // when they are shown again, what was said meanwhile is not caught up
    this.show();
  }

  /** What stays as it was is left alone: what is written again is read out again. @private */
  show() {
    clearTimeout(this.timer);
    const now = nowS(); // one for all: what ends between two looks at the clock would be shown for ever
    const shown = this.captions.at(now);
    const kept = new Map([...this.children].map((each) => [each.getAttribute("data-key"), each]));
    const wanted = shown.map((caption) => kept.get(keyOf(caption)) ?? drawn(caption));
    for (const each of kept.values()) if (!wanted.includes(each)) each.remove();
    let place = this.firstElementChild;
    for (const each of wanted) {
      if (each === place) place = place.nextElementSibling;
      else this.insertBefore(each, place);
    }
    const nextS = this.captions.nextS(now);
    if (nextS !== null) this.timer = setTimeout(() => this.show(), Math.max(0, nextS - now) * 1000);
  }
}

/** @param {ShownCaption} caption */
function keyOf({ id, lines }) {
  return [id, ...lines].join("\n");
}

/** @param {ShownCaption} caption */
function drawn(caption) {
  const lines = caption.lines.map((line) => h("span", { class: "line", dir: "auto" }, line));
  const box = h("p", { "data-key": keyOf(caption), "data-testid": "caption" }, h("span", { class: "name" }, caption.name), ...lines);
  box.style.setProperty("--hue", String(hueOf(caption.id)));
  return box;
}

function nowS() {
  return performance.now() / 1000;
}

customElements.define("vmeet-captions", CaptionOverlay);
