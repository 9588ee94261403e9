import { h, uniqueId } from "../dom.js";
import { say } from "../i18n.js";
import { icon } from "../icons.js";

/** @typedef {import("../i18n.js").Key} Key */
/** @typedef {import("../transcript.js").Match} Match */
/** @typedef {import("./transcript-list.js").TranscriptList} TranscriptList */

const TYPING_MS = 120;

/** Finds words in a transcript, and goes from one place to the next. */
export class TranscriptFind {
  /** @param {TranscriptList} list @param {(index: number) => void} go shows an utterance */
  constructor(list, go) {
    this.list = list;
    this.go = go;
    /** @type {Match[]} */
    this.matches = [];
    this.chosen = -1;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.typing = undefined;
    const id = uniqueId("find");
    this.input = h("input", { id, type: "search", tPlaceholder: "transcript.find", autocomplete: "off", spellcheck: "false", "data-testid": "find" });
    this.count = h("span", { class: "count", role: "status", "data-testid": "find-count" });
    this.previous = this.button("find-previous", "transcript.find-previous", -1);
    this.next = this.button("find-next", "transcript.find-next", 1);
    this.element = h("div", { class: "find", role: "search" }, h("label", { for: id, class: "visually-hidden", t: "transcript.find" }), icon("search"), this.input, this.count, this.previous, this.next);
    this.input.addEventListener("input", () => this.typed());
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.showCount();
  }

  /** Again, since other utterances are there or shown. */
  search() {
    clearTimeout(this.typing);
    const { said, shown } = this.list;
    this.matches = said?.find(this.input.value, shown) ?? [];
    const from = this.list.current[0] ?? 0;
    const first = this.matches.findIndex(({ index }) => index >= from);
    this.chosen = this.matches.length ? Math.max(0, first) : -1;
    this.show();
  }

  /** @private */
  typed() {
    clearTimeout(this.typing);
    this.typing = setTimeout(() => this.search(), TYPING_MS);
  }

  /** @private @param {KeyboardEvent} event */
  key(event) {
    if (event.isComposing) return;
    if (event.key === "Escape" && this.input.value) {
      this.input.value = "";
      this.search();
      event.preventDefault();
    }
    if (event.key === "Enter") this.step(event.shiftKey ? -1 : 1);
  }

  /** @private @param {number} direction */
  step(direction) {
    const count = this.matches.length;
    if (!count) return;
    this.chosen = (this.chosen + direction + count) % count;
    this.show();
  }

  /** @private */
  show() {
    this.list.mark(this.matches, this.chosen);
    const match = this.matches[this.chosen];
    if (match) this.go(match.index);
    this.showCount();
  }

  /** @private */
  showCount() {
    const count = this.matches.length;
    this.count.hidden = !this.input.value.trim();
    this.previous.disabled = this.next.disabled = !count;
    say(this.count, count ? "transcript.found" : "transcript.found-none", { place: this.chosen + 1, total: count });
  }

  /** @private @param {string} testid @param {Key} label @param {number} direction */
  button(testid, label, direction) {
    return h("button", { type: "button", class: `icon-button small ${direction < 0 ? "up" : ""}`, tLabel: label, tTitle: label, "data-testid": testid, onclick: () => this.step(direction) }, icon("chevron"));
  }
}
