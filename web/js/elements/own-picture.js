import { h } from "../dom.js";
import { onFreshPicture } from "../fresh-picture.js";
import { say } from "../i18n.js";
import { ownPicture } from "../own-picture.js";
import { ViewReport } from "../view-report.js";

/** @typedef {import("../local-media.js").LocalMedia} LocalMedia */
/** @typedef {import("../session.js").Session} Session */

/**
 * The own picture as the others get it. While a filter hides the room and its picture is not there, the camera's is
 * blurred beyond recognition behind words that say so. `data-shows`: "nothing", "local", "received" or "veil".
 */
export class OwnPicture extends HTMLElement {
  constructor() {
    super();
    /** @type {LocalMedia | null} */
    this.media = null;
    /** @type {Session | null} */
    this.session = null;
    this.local = video("local");
    this.received = video("received");
    this.words = h("p", { class: "veil", role: "status" });
    /** @type {MediaStreamTrack | null} of which a picture has come since it was asked for */
    this.fresh = null;
    this.changed = () => this.show();
    this.view = new ViewReport(this, () => {}, () => this.size(), ([picture]) => this.session?.showOwn(this, picture ?? null));
  }

  connectedCallback() {
    if (!this.childElementCount) this.append(this.local, this.received, this.words);
    this.media?.addEventListener("change", this.changed);
    for (const type of ["own", "state"]) this.session?.addEventListener(type, this.changed);
    this.resizing = new ResizeObserver(() => this.view.refresh());
    this.resizing.observe(this);
    this.view.start();
    this.show();
  }

  disconnectedCallback() {
    this.media?.removeEventListener("change", this.changed);
    for (const type of ["own", "state"]) this.session?.removeEventListener(type, this.changed);
    this.resizing?.disconnect();
    this.view.stop();
    this.session?.showOwn(this, null);
    for (const each of [this.local, this.received]) each.srcObject = null;
  }

  /** @private */
  show() {
    if (!this.media) return;
    const own = ownPicture(this.media, this.session);
    this.load(own.received);
    if (trackOf(this.local) !== own.local) this.local.srcObject = own.local && new MediaStream([own.local]);
    const received = own.received !== null && this.fresh === own.received && !own.paused;
    this.dataset.shows = !own.local ? "nothing" : received ? "received" : own.secret ? "veil" : "local";
    this.received.classList.toggle("mirrored", own.mirrored);
    if (own.secret) say(this.words, `effects.veil-${own.veil}`);
    this.words.hidden = this.dataset.shows !== "veil";
    this.view.refresh();
  }

  /** @private @param {MediaStreamTrack | null} track */
  load(track) {
    if (trackOf(this.received) === track) return;
    this.fresh = null;
    this.received.srcObject = track && new MediaStream([track]);
    if (track) onFreshPicture(this.received, () => this.arrived(track));
  }

  /** @private @param {MediaStreamTrack} track */
  arrived(track) {
    this.fresh = track;
    this.show();
  }

  /** Nothing is asked for where nothing can come. @private @returns {import("../view-report.js").Shown[]} */
  size() {
    const { width, height } = this.getBoundingClientRect();
    if (!width || !this.session?.effects?.offer.filters.length || !this.media?.camera.on) return [];
    return [{ id: "", source: "camera", width, height, large: false, speaker: false }];
  }
}

/** @param {string} name */
function video(name) {
  const element = h("video", { class: name, playsinline: true, autoplay: true, "aria-hidden": "true", "data-testid": name === "local" ? "preview" : "preview-received" });
  element.muted = true;
  return element;
}

/** @param {HTMLVideoElement} element */
function trackOf(element) {
  return /** @type {MediaStream | null} */ (element.srcObject)?.getTracks()[0] ?? null;
}

customElements.define("vmeet-own-picture", OwnPicture);
