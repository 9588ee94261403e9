/** What the page tells the server about the pictures on it: which are visible, how large, and which matter most. */

import { MAX_PICTURES } from "./protocol.js";

/** @typedef {import("./protocol.js").Picture} Picture */
/** @typedef {import("./protocol.js").PictureKind} PictureKind */

const ROUND_TO_PX = 16; // a window that is dragged larger is no flood of messages
const SETTLE_MS = 60;
const PERIOD_MS = 250;
const NEAR = "120px"; // pictures that are about to be scrolled in are asked for

/**
 * A picture on the page, its size in CSS pixels.
 * @typedef {object} Shown
 * @property {string} id of the person
 * @property {PictureKind} source
 * @property {number} width
 * @property {number} height
 * @property {boolean} large
 * @property {boolean} speaker
 */

/** The most important first; of equal importance, the largest. @param {Shown[]} shown @param {number} ratio device pixels
 *  per CSS pixel @returns {Picture[]} */
export function viewOf(shown, ratio) {
  const sorted = [...shown].sort((a, b) => importance(b) - importance(a) || b.width * b.height - a.width * a.height);
  return sorted.slice(0, MAX_PICTURES).map(({ id, source, width, height }) => ({
    participant_id: id,
    source,
    width_px: rounded(width * ratio),
    height_px: rounded(height * ratio),
  }));
}

/** @param {Shown} shown */
function importance({ large, source, speaker }) {
  return (large ? 4 : 0) + (source === "screen" ? 2 : 0) + (speaker ? 1 : 0);
}

/** @param {number} px */
function rounded(px) {
  return Math.min(16384, Math.max(1, Math.ceil(px / ROUND_TO_PX)) * ROUND_TO_PX);
}

/** Watches elements and reports what is on the screen: nothing while the page itself is not. */
export class ViewReport {
  /**
   * @param {Element} root which holds and scrolls the pictures
   * @param {(element: Element, onScreen: boolean) => void} mark called when an element comes on the screen or goes
   * @param {() => Shown[]} collect what is on the screen now
   * @param {(pictures: Picture[]) => void} report called on changes alone
   */
  constructor(root, mark, collect, report) {
    this.collect = collect;
    this.report = report;
    this.last = "";
    this.reportedAt = -Infinity;
    /** @type {number | undefined} */
    this.timer = undefined;
    this.observer = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) mark(target, isIntersecting);
      this.refresh();
    }, { root, rootMargin: NEAR });
    this.onVisibility = () => this.tell();
    this.onFullscreen = () => this.refresh();
  }

  start() {
    document.addEventListener("visibilitychange", this.onVisibility);
    document.addEventListener("fullscreenchange", this.onFullscreen);
  }

  stop() {
    clearTimeout(this.timer);
    this.observer.disconnect();
    document.removeEventListener("visibilitychange", this.onVisibility);
    document.removeEventListener("fullscreenchange", this.onFullscreen);
  }

  /** Something may have changed: said soon, and not too often. */
  refresh() {
    if (this.timer !== undefined) return;
    const wait = Math.max(SETTLE_MS, this.reportedAt + PERIOD_MS - performance.now());
    this.timer = setTimeout(() => this.tell(), wait);
  }

  /** @private */
  tell() {
    clearTimeout(this.timer);
    this.timer = undefined;
    const pictures = document.visibilityState === "hidden" ? [] : viewOf(this.collect(), devicePixelRatio);
    const text = JSON.stringify(pictures);
    if (text === this.last) return;
    this.last = text;
    this.reportedAt = performance.now();
    this.report(pictures);
  }
}
