import { fill, h, LocalizedElement } from "../dom.js";
import { formatClock, isKey, t } from "../i18n.js";

/** @typedef {{kind: string, who: string, startS: number}} Chapter */

/** The chapters of a recording, each a button that goes there: who came and left, and when a screen was shared. */
export class Chapters extends LocalizedElement {
  /** @param {HTMLVideoElement} [video] */
  constructor(video) {
    super();
    this.video = video;
    this.hidden = true;
    this.address = "";
    /** @type {Chapter[]} */
    this.chapters = [];
    /** @type {HTMLTrackElement | undefined} */
    this.track = undefined;
    this.list = h("ol", { "data-testid": "chapters" });
  }

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    if (!this.childElementCount) fill(this, h("details", {}, h("summary", { t: "chapter.title" }), this.list));
  }

  /** @override */
  localize() {
    const rows = this.chapters.map((chapter) => {
      const go = () => this.video && (this.video.currentTime = chapter.startS);
      const time = h("span", { class: "time" }, formatClock(chapter.startS));
      return h("li", {}, h("button", { type: "button", class: "quiet", onclick: go }, time, h("span", {}, chapterText(chapter))));
    });
    fill(this.list, ...rows);
    this.hidden = !rows.length;
  }

  /** Reads a WebVTT file, with the browser's own reader. @param {string | null} address */
  load(address) {
    if (!this.video || (address ?? "") === this.address) return;
    this.address = address ?? "";
    this.track?.remove();
    this.chapters = [];
    this.localize();
    if (!address) return;
    const track = h("track", { kind: "chapters", src: address });
    track.addEventListener("load", () => track === this.track && this.read(track.track));
    this.track = track;
    this.video.append(track);
    track.track.mode = "hidden"; // else it is not read
  }

  /** @private @param {TextTrack} track */
  read(track) {
    this.chapters = [...(track.cues ?? [])].map((cue) => {
      const title = /** @type {VTTCue} */ (cue).getCueAsHTML().textContent ?? "";
      return { kind: cue.id, who: title.replace(/^\S+ /, ""), startS: cue.startTime };
    });
    this.localize();
  }
}

/** The file has a sign and names; the words are the reader's. @param {Chapter} chapter */
function chapterText({ kind, who }) {
  const key = `chapter.${kind}`;
  return isKey(key) ? t(key, { who }) : who;
}

customElements.define("vmeet-chapters", Chapters);
