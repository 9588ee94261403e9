/** This person's shared screen. No DOM. */

import { deviceProblem } from "./local-media.js";

/** Sharp text matters more than smooth movement. */
const WANTED = {
  video: { frameRate: { ideal: 15, max: 15 }, width: { max: 2560 }, height: { max: 1440 } },
  audio: false,
  selfBrowserSurface: "exclude", // a picture of this meeting within this meeting helps nobody
  surfaceSwitching: "include",
};

/** Whether this browser can share a screen at all: those of phones cannot. */
export function canShareScreen() {
  return Boolean(navigator.mediaDevices?.getDisplayMedia);
}

/** Events: `change` when it starts or stops, by whatever cause; `trouble` (detail: message) when it could not start. */
export class ScreenShare extends EventTarget {
  constructor() {
    super();
    /** @type {MediaStreamTrack | null} */
    this.track = null;
    this.request = 0; // only the newest question to the person counts
  }

  get on() {
    return this.track !== null;
  }

  /** Lets the person choose; to be called straight from a click. A choice of nothing is no trouble. */
  async start() {
    const request = ++this.request;
    try {
      const [track] = (await navigator.mediaDevices.getDisplayMedia(WANTED)).getVideoTracks();
      if (request !== this.request) track?.stop();
      else if (track) this.adopt(track);
    } catch (error) {
      if (deviceProblem(error) !== "denied") this.emit("trouble", String(error));
    }
  }

  stop() {
    this.request++;
    if (!this.track) return;
    this.track.stop();
    this.track = null;
    this.emit("change");
  }

  /** @private @param {MediaStreamTrack} track */
  adopt(track) {
    this.track?.stop();
    track.contentHint = "detail";
    track.addEventListener("ended", () => this.track === track && this.stop()); // the browser's own button
    this.track = track;
    this.emit("change");
  }

  /** @private @param {string} type @param {unknown} [payload] */
  emit(type, payload) {
    this.dispatchEvent(new CustomEvent(type, { detail: payload }));
  }
}
