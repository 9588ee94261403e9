import { h } from "../dom.js";
import { formatClock, t } from "../i18n.js";

/** @typedef {import("../transcript.js").Said} Said */
/** @typedef {import("../transcript.js").Match} Match */

/** @type {Record<string, number>} */
const MOVES = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity };

/**
 * Everything that was said, each with its time; event `vmeet-play` (CustomEvent, seconds) where one wants to hear it.
 * One stop of the tab key; arrows go through it. The browser draws what is seen alone.
 */
export class TranscriptList extends HTMLElement {
  constructor() {
    super();
    /** @type {Said | null} */
    this.said = null;
    this.list = h("ol", { class: "utterances", "data-testid": "utterances" });
    /** @type {HTMLLIElement[]} */
    this.rows = [];
    /** @type {number[]} what is being said */
    this.current = [];
    this.stop = 0; // the row that the tab key reaches
    /** @type {(person: string) => boolean} */
    this.shown = () => true;
    /** @type {Set<number>} */
    this.marked = new Set();
  }

  connectedCallback() {
    if (this.childElementCount) return;
    this.append(this.list);
    this.list.addEventListener("click", (event) => this.clicked(event));
    this.list.addEventListener("keydown", (event) => this.key(event));
    this.list.addEventListener("focusin", (event) => this.reach(this.indexOf(event.target)));
  }

  /** @param {Said} said */
  show(said) {
    this.said = said;
    this.rows = said.utterances.map((_, index) => this.row(said, index));
    this.current = [];
    this.marked.clear();
    this.list.replaceChildren(...this.rows);
    this.list.scrollTop = 0;
    this.stop = 0;
    this.reach(0);
    this.filter(this.shown);
  }

  /** @private @param {Said} said @param {number} index */
  row(said, index) {
    const { person, start_s, text, language } = /** @type {import("../types.js").Utterance} */ (said.utterances[index]);
    const name = said.name(person);
    const who = name && said.begins(index) ? h("span", { class: "who" }, name) : null;
    const clock = formatClock(start_s);
    const label = t("transcript.play-from", { time: clock });
    const time = h("button", { type: "button", class: "time", tabindex: -1, "aria-label": name ? `${name}, ${label}` : label }, clock);
    const row = h("li", { class: `utterance speaker-${said.colour(person)}`, "data-index": index });
    row.append(...[who, time, h("p", { lang: spelling(language, said.transcript.script) }, text)].filter((each) => each !== null));
    return row;
  }

  /** Only what these people said. @param {(person: string) => boolean} shown */
  filter(shown) {
    this.shown = shown;
    this.rows.forEach((row, index) => (row.hidden = !shown(this.said?.utterances[index]?.person ?? "")));
  }

  /** @param {number[]} current numbers of what is being said; says whether that is news */
  highlight(current) {
    if (current.join() === this.current.join()) return false;
    for (const index of this.current) this.rows[index]?.removeAttribute("aria-current");
    for (const index of current) this.rows[index]?.setAttribute("aria-current", "true");
    this.current = current;
    return true;
  }

  /** @param {Match[]} matches @param {number} chosen which of them is looked at */
  mark(matches, chosen) {
    /** @type {Map<number, Match[]>} */
    const rows = new Map();
    for (const match of matches) rows.set(match.index, [...(rows.get(match.index) ?? []), match]);
    for (const index of this.marked) if (!rows.has(index)) this.text(index)?.replaceChildren(this.textOf(index));
    for (const [index, found] of rows) this.text(index)?.replaceChildren(...this.pieces(index, found, matches[chosen]));
    this.marked = new Set(rows.keys());
  }

  /** @private @param {number} index @param {Match[]} found @param {Match} [chosen] */
  pieces(index, found, chosen) {
    const text = this.textOf(index);
    let place = 0;
    const pieces = found.flatMap((match) => {
      const before = text.slice(place, match.from);
      place = match.to;
      return [before, h("mark", { class: match === chosen ? "chosen" : "" }, text.slice(match.from, match.to))];
    });
    return [...pieces, text.slice(place)].filter((each) => each !== "");
  }

  /** @private @param {number} index */
  text(index) {
    return this.rows[index]?.querySelector("p");
  }

  /** @private @param {number} index */
  textOf(index) {
    return this.said?.utterances[index]?.text ?? "";
  }

  /** The tab key leads there, until it leads elsewhere. @param {number} index */
  reach(index) {
    if (!this.rows[index]) return;
    this.button(this.stop)?.setAttribute("tabindex", "-1");
    this.button(index)?.setAttribute("tabindex", "0");
    this.stop = index;
  }

  /** @private @param {number} index */
  button(index) {
    return this.rows[index]?.querySelector("button");
  }

  /** @private @param {EventTarget | null} target */
  indexOf(target) {
    const row = target instanceof Element ? target.closest("li") : null;
    return row ? Number(row.dataset.index) : -1;
  }

  /** @private @param {KeyboardEvent} event */
  key(event) {
    const move = MOVES[event.key];
    if (!move || event.ctrlKey || event.metaKey || event.altKey) return;
    const there = this.rows.filter((row) => !row.hidden);
    const now = there.findIndex((row) => row.contains(document.activeElement));
    const next = there[Math.max(0, Math.min(there.length - 1, now + move))];
    event.preventDefault();
    next?.querySelector("button")?.focus();
  }

  /** Words may be selected without playing them. @private @param {MouseEvent} event */
  clicked(event) {
    const index = this.indexOf(event.target);
    const { said } = this;
    if (index < 0 || !said || !getSelection()?.isCollapsed) return;
    const onTime = event.target instanceof Element && event.target.closest("button");
    const timeS = onTime ? (said.utterances[index]?.start_s ?? 0) : said.timeOf(index, this.offset(event, index));
    this.dispatchEvent(new CustomEvent("vmeet-play", { detail: timeS }));
  }

  /** Which character of an utterance is under the pointer. @private @param {MouseEvent} event @param {number} index */
  offset(event, index) {
    const text = this.text(index);
    const selection = getSelection();
    const node = selection?.anchorNode;
    if (!text || !node || !selection || !text.contains(node)) return 0;
    const range = document.createRange();
    range.setStart(text, 0);
    range.setEnd(node, selection.anchorOffset);
    return event.detail ? Math.max(0, range.toString().length) : 0;
  }
}

/** The way of writing, which fonts and screen readers have to know. @param {string} language @param {string} script */
function spelling(language, script) {
  if (!/^(zh|yue|nan|hak|cmn)\b/i.test(language)) return language === "auto" ? null : language;
  return script === "simplified" ? "zh-Hans" : script === "traditional-tw" ? "zh-Hant" : language;
}

customElements.define("vmeet-transcript-list", TranscriptList);
