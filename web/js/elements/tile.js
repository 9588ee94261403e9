import { h } from "../dom.js";
import { onFreshPicture } from "../fresh-picture.js";
import { say } from "../i18n.js";
import { icon } from "../icons.js";
import { shownLevel } from "../levels.js";
import { QualitySign } from "./quality-sign.js";

const SPEAKING = 0.02;
const SPEAKING_HOLD_MS = 700;

/** @typedef {import("../protocol.js").ParticipantInfo} ParticipantInfo */
/** @typedef {import("../protocol.js").PictureKind} PictureKind */

/**
 * One person, or the screen that one shares: picture or initial, name, signs, sound. Events: `vmeet-pin` when it is to be
 * shown large or no longer, `vmeet-silenced` when the browser refuses to play sound before a click.
 */
export class Tile extends HTMLElement {
  /** @param {PictureKind} [source] */
  constructor(source = "camera") {
    super();
    this.source = source;
    this.video = h("video", { playsinline: true, autoplay: true, "aria-hidden": "true" });
    this.video.muted = true; // the sound comes from the audio element: a picture that is late must not hold it up
    /** @type {HTMLAudioElement | null} there only for those who are heard */
    this.audio = null;
    this.initial = h("span", {});
    this.name = h("span", { class: "name" });
    this.micOff = h("span", { class: "sign", role: "img", tLabel: "tile.muted" }, icon("microphone-off"));
    this.unrecorded = h("span", { class: "sign", role: "img", hidden: true, tLabel: "tile.not-recorded", tTitle: "tile.not-recorded", "data-testid": "not-recorded" }, icon("record-off"));
    this.quality = new QualitySign();
    this.quality.hidden = true;
    this.pin = h("button", { type: "button", class: "icon-button small", tLabel: "tile.pin", "aria-pressed": "false" }, icon("pin"));
    /** @type {MediaStreamTrack | null} shown while the tile is on the screen */
    this.track = null;
    this.onScreen = false;
    this.fresh = false;
    this.output = "";
    this.rect = { x: 0, y: 0, width: 0, height: 0 }; // where it is, or moves to
    this.loudUntil = 0;
    this.own = false;
    this.returns = false; // whether the own picture comes back from the server
    this.note = h("p", { class: "tile-note", hidden: true, "data-testid": "tile-note" });
  }

  connectedCallback() {
    if (this.childElementCount) return;
    this.setAttribute("role", "group");
    this.dataset.testid = this.source === "screen" ? "screen-tile" : "tile";
    this.dataset.source = this.source;
    this.append(
      this.video,
      h("div", { class: "avatar", "aria-hidden": "true" }, this.initial),
      h("p", { class: "tile-status", role: "status" }, h("span", { t: "tile.reconnecting" })),
      this.note,
      h("div", { class: "caption" }, this.micOff, this.unrecorded, this.quality, this.name),
      h("div", { class: "tile-tools" }, this.pin),
    );
    this.pin.addEventListener("click", () => this.dispatchEvent(new CustomEvent("vmeet-pin", { bubbles: true })));
    this.addEventListener("dblclick", () => this.toggleFullscreen());
    for (const type of ["loadeddata", "resize", "emptied"]) this.video.addEventListener(type, () => this.showPicture());
  }

  /** @param {ParticipantInfo} person @param {boolean} own */
  setPerson(person, own) {
    this.own = own;
    this.person = person;
    this.dataset.participantId = person.id;
    this.classList.toggle("own", own);
    if (!own) this.note.setAttribute("role", "status"); // of one's own the panel or a notice tells
    this.toggleAttribute("data-lost", person.connected === false);
    this.initial.textContent = initialOf(person.name);
    this.style.setProperty("--hue", String(hueOf(person.id)));
    this.setName(person.name);
    if (this.source === "screen") this.setSources(true, true);
    else this.setSources(isOn(person, "microphone"), isOn(person, "camera"));
  }

  /** @private @param {string} name */
  setName(name) {
    const key = this.source === "screen" ? (this.own ? "tile.own-screen" : "tile.screen") : this.own ? "tile.you" : null;
    if (key) say(this.name, key, { name });
    else this.name.textContent = name;
    if (this.source === "screen") say(this, this.own ? "tile.own-screen" : "tile.screen", { name }, "tLabel");
    else this.setAttribute("aria-label", name);
  }

  /** @param {boolean} microphone @param {boolean} camera whether they are on */
  setSources(microphone, camera) {
    this.micOff.hidden = microphone;
    this.cameraOn = camera;
    this.toggleAttribute("data-muted", !microphone);
    this.toggleAttribute("data-camera-off", !camera);
    this.showPicture();
  }

  /** @param {MediaStreamTrack | null} track */
  setVideo(track) {
    this.track = track;
    this.load();
  }

  /** A picture that nobody can see is not decoded into an element. @param {boolean} onScreen */
  setOnScreen(onScreen) {
    this.onScreen = onScreen;
    this.load();
  }

  /** Whether the server should send the picture. */
  wanted() {
    return this.onScreen && !this.hidden && (!this.own || this.returns) && Boolean(this.cameraOn);
  }

  /** The picture is not sent at the moment: what was seen last is no longer true. @param {boolean} paused */
  setPaused(paused) {
    this.toggleAttribute("data-paused", paused);
  }

  /** What is to be known of the picture. @param {import("../i18n.js").Key | null} key @param {import("../i18n.js").Params} [params] */
  setNote(key, params) {
    this.note.hidden = !key;
    this.toggleAttribute("data-noted", Boolean(key));
    if (!key) return;
    say(this.note, key, params);
    say(this.note, key, params, "tTitle");
  }

  /** @param {boolean} leftOut whether a recording runs without this person */
  setLeftOut(leftOut) {
    this.unrecorded.hidden = !leftOut;
  }

  /** @param {boolean} speaker whether this person has the floor */
  setSpeaking(speaker) {
    this.toggleAttribute("data-speaker", speaker);
  }

  /** @param {MediaStreamTrack | null} track */
  setAudio(track) {
    if (trackOf(this.audio) === track) return;
    if (track) this.hear(track);
    else this.unhear();
  }

  /** Tries to be heard; to be called again after a click when the browser refused. */
  async playSound() {
    try {
      await this.audio?.play();
    } catch (error) {
      const refused = error instanceof DOMException && error.name === "NotAllowedError";
      if (refused) this.dispatchEvent(new CustomEvent("vmeet-silenced", { bubbles: true }));
    }
  }

  /** A loudspeaker that is gone leaves the sound where it was. @param {string} deviceId */
  setOutput(deviceId) {
    this.output = deviceId;
    const audio = /** @type {(HTMLAudioElement & {setSinkId?: (id: string) => Promise<void>}) | null} */ (this.audio);
    audio?.setSinkId?.(deviceId).catch(() => {});
  }

  /** @param {number} level linear, in [0, 1] */
  setLevel(level) {
    const now = performance.now();
    if (level > SPEAKING) this.loudUntil = now + SPEAKING_HOLD_MS;
    this.classList.toggle("speaking", now < this.loudUntil);
    this.style.setProperty("--level", shownLevel(level).toFixed(2));
  }

  /** Shown only where it tells something. @param {import("../quality.js").Quality} level */
  setQuality(level) {
    this.quality.show(level);
    this.quality.hidden = level === 0 || level === 3;
  }

  /** @param {boolean} pinned */
  setPinned(pinned) {
    this.pin.setAttribute("aria-pressed", String(pinned));
    say(this.pin, pinned ? "tile.unpin" : "tile.pin", undefined, "tLabel");
    this.classList.toggle("pinned", pinned);
  }

  /** Width by height of the picture; of a usual screen before it is known. */
  aspect() {
    const { videoWidth, videoHeight } = this.video;
    return videoWidth > 2 && videoHeight > 2 ? videoWidth / videoHeight : 16 / 9;
  }

  toggleFullscreen() {
    if (document.fullscreenElement) document.exitFullscreen().catch(() => {});
    else this.requestFullscreen?.().catch(() => {});
  }

  /** Lets go of the tracks. */
  close() {
    this.track = null;
    this.load();
    this.unhear();
  }

  /** @private */
  load() {
    const wanted = this.onScreen ? this.track : null;
    if (trackOf(this.video) === wanted) return;
    this.fresh = false;
    this.video.srcObject = wanted && new MediaStream([wanted]);
    if (wanted) onFreshPicture(this.video, () => this.refreshed());
    this.showPicture();
  }

  /** @private */
  refreshed() {
    this.fresh = true;
    this.showPicture();
  }

  /** @private @param {MediaStreamTrack} track */
  hear(track) {
    if (!this.audio) {
      this.audio = h("audio", { autoplay: true });
      this.append(this.audio);
    }
    this.audio.srcObject = new MediaStream([track]);
    if (this.output) this.setOutput(this.output);
    this.playSound();
  }

  /** @private */
  unhear() {
    if (!this.audio) return;
    this.audio.srcObject = null;
    this.audio.remove();
    this.audio = null;
  }

  /** @private */
  showPicture() {
    const visible = Boolean(this.cameraOn) && this.fresh && this.video.videoWidth > 2;
    this.toggleAttribute("data-picture", visible);
    this.classList.toggle("portrait", this.video.videoHeight > this.video.videoWidth);
  }
}

/** @param {ParticipantInfo} person @param {"microphone" | "camera" | "screen"} source */
export function isOn(person, source) {
  return person.sources.includes(source) && !person.muted.includes(source);
}

/** @param {HTMLMediaElement | null} element */
function trackOf(element) {
  return /** @type {MediaStream | null} */ (element?.srcObject ?? null)?.getTracks()[0] ?? null;
}

/** @param {string} name */
export function initialOf(name) {
  return (Array.from(name.trim())[0] ?? "?").toLocaleUpperCase();
}

/** A hue in degrees that stays with the person. @param {string} id */
export function hueOf(id) {
  let hash = 7;
  for (const character of id) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 3600;
  return (hash * 47) % 360;
}

customElements.define("vmeet-tile", Tile);
