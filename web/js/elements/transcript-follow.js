import { h } from "../dom.js";
import { icon } from "../icons.js";

/** @typedef {import("./transcript-list.js").TranscriptList} TranscriptList */

const TOP = 0.12; // of the height that is seen: what lies between is left where it is
const BOTTOM = 0.72;
const PLACE = 0.3;
const FRAMES = 10; // what comes into sight is measured only then, and may turn out taller than was thought
const SCROLLING = ["PageUp", "PageDown", "ArrowUp", "ArrowDown", "Home", "End"];

/** Keeps what is being said in sight, until somebody scrolls. */
export class TranscriptFollow {
  /** @param {TranscriptList} list @param {HTMLVideoElement} video */
  constructor(list, video) {
    this.list = list;
    this.video = video;
    this.on = true;
    this.turn = 0; // of what is brought into sight, the latest is
    this.button = h("button", { type: "button", class: "small primary follow", hidden: true, "data-testid": "follow", onclick: () => this.resume() }, icon("again"), h("span", { t: "transcript.follow" }));
    const stop = () => this.pause();
    const { list: box } = list;
    for (const type of ["wheel", "touchmove"]) box.addEventListener(type, stop, { passive: true });
    box.addEventListener("pointerdown", (event) => event.target === box && stop()); // the bar beside it
    box.addEventListener("keydown", (event) => SCROLLING.includes(event.key) && stop());
    for (const type of ["timeupdate", "seeked"]) video.addEventListener(type, () => this.tick());
  }

  /** What is said now is to be seen. */
  tick() {
    const { said } = this.list;
    if (!said || this.list.hidden) return;
    const news = this.list.highlight(said.at(this.video.currentTime));
    if (news && this.on) this.bring(this.list.current[0] ?? -1);
    this.showButton();
  }

  /** Somebody looks at another place. */
  pause() {
    this.on = false;
    this.turn += 1;
    this.showButton();
  }

  resume() {
    this.on = true;
    this.list.highlight(this.list.said?.at(this.video.currentTime) ?? []);
    this.bring(this.list.current[0] ?? -1);
    this.showButton();
  }

  /** @private */
  showButton() {
    this.button.hidden = this.on || !this.list.current.length;
  }

  /** Only the list moves, not the page. @param {number} index */
  bring(index) {
    this.turn += 1;
    this.keep(index, this.turn, FRAMES);
  }

  /** @private @param {number} index @param {number} turn @param {number} frames */
  keep(index, turn, frames) {
    const row = this.list.rows[index];
    if (!row || row.hidden || !frames || turn !== this.turn) return;
    this.place(row);
    requestAnimationFrame(() => this.keep(index, turn, frames - 1));
  }

  /** @private @param {HTMLElement} row */
  place(row) {
    const box = this.list.list;
    const { top, height } = box.getBoundingClientRect();
    const place = row.getBoundingClientRect();
    if (place.top >= top + TOP * height && place.bottom <= top + BOTTOM * height) return;
    box.scrollTop += place.top - top - PLACE * height;
  }
}
