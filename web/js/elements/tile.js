import { h } from "../dom.js";
import { say } from "../i18n.js";
import { icon } from "../icons.js";
import { shownLevel } from "../levels.js";

const SPEAKING = 0.02;
const SPEAKING_HOLD_MS = 700;

/** @typedef {import("../protocol.js").ParticipantInfo} ParticipantInfo */

/**
 * One person: picture or initial, name, signs, sound. Events: `vmeet-pin` when the person is to be pinned or released,
 * `vmeet-silenced` when the browser refuses to play sound before a click.
 */
export class Tile extends HTMLElement {
  constructor() {
    super();
    this.video = h("video", { playsinline: true, autoplay: true, "aria-hidden": "true" });
    this.video.muted = true; // the sound comes from the audio element: a picture that is late must not hold it up
    this.audio = h("audio", { autoplay: true });
    this.initial = h("span", {});
    this.name = h("span", { class: "name" });
    this.micOff = h("span", { class: "sign", role: "img", tLabel: "tile.muted" }, icon("microphone-off"));
    this.pin = h("button", { type: "button", class: "icon-button small", tLabel: "tile.pin", "aria-pressed": "false" }, icon("pin"));
    this.loudUntil = 0;
    this.own = false;
  }

  connectedCallback() {
    if (this.childElementCount) return;
    this.setAttribute("role", "group");
    this.dataset.testid = "tile";
    this.append(
      this.video,
      this.audio,
      h("div", { class: "avatar", "aria-hidden": "true" }, this.initial),
      h("div", { class: "caption" }, this.micOff, this.name),
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
    this.initial.textContent = initialOf(person.name);
    this.style.setProperty("--hue", String(hueOf(person.id)));
    if (own) say(this.name, "tile.you", { name: person.name });
    else this.name.textContent = person.name;
    this.setAttribute("aria-label", person.name);
    this.setSources(isOn(person, "microphone"), isOn(person, "camera"));
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
    if (trackOf(this.video) === track) return;
    this.video.srcObject = track && new MediaStream([track]);
    this.showPicture();
  }

  /** @param {MediaStreamTrack | null} track */
  setAudio(track) {
    if (trackOf(this.audio) === track) return;
    this.audio.srcObject = track && new MediaStream([track]);
    if (track) this.playSound();
  }

  /** Tries to be heard; to be called again after a click when the browser refused. */
  async playSound() {
    try {
      await this.audio.play();
    } catch (error) {
      const refused = error instanceof DOMException && error.name === "NotAllowedError";
      if (refused) this.dispatchEvent(new CustomEvent("vmeet-silenced", { bubbles: true }));
    }
  }

  /** A speaker that is gone leaves the sound where it was. @param {string} deviceId */
  setSpeaker(deviceId) {
    const audio = /** @type {HTMLAudioElement & {setSinkId?: (id: string) => Promise<void>}} */ (this.audio);
    audio.setSinkId?.(deviceId).catch(() => {});
  }

  /** @param {number} level linear, in [0, 1] */
  setLevel(level) {
    const now = performance.now();
    if (level > SPEAKING) this.loudUntil = now + SPEAKING_HOLD_MS;
    this.classList.toggle("speaking", now < this.loudUntil);
    this.style.setProperty("--level", shownLevel(level).toFixed(2));
  }

  /** @param {boolean} pinned */
  setPinned(pinned) {
    this.pin.setAttribute("aria-pressed", String(pinned));
    say(this.pin, pinned ? "tile.unpin" : "tile.pin", undefined, "tLabel");
    this.classList.toggle("pinned", pinned);
  }

  toggleFullscreen() {
    if (document.fullscreenElement) document.exitFullscreen().catch(() => {});
    else this.requestFullscreen?.().catch(() => {});
  }

  /** Lets go of the tracks. */
  close() {
    this.video.srcObject = null;
    this.audio.srcObject = null;
  }

  /** @private */
  showPicture() {
    const visible = Boolean(this.cameraOn) && this.video.videoWidth > 2;
    this.toggleAttribute("data-picture", visible);
    this.classList.toggle("portrait", this.video.videoHeight > this.video.videoWidth);
  }
}

/** @param {ParticipantInfo} person @param {"microphone" | "camera"} source */
export function isOn(person, source) {
  return person.sources.includes(source) && !person.muted.includes(source);
}

/** @param {HTMLMediaElement} element */
function trackOf(element) {
  return /** @type {MediaStream | null} */ (element.srcObject)?.getTracks()[0] ?? null;
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
