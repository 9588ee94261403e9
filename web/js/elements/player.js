import { h, uniqueId } from "../dom.js";
import { formatClock, say, t } from "../i18n.js";
import { icon } from "../icons.js";
import { openDialog } from "./dialogs.js";

/** @typedef {import("../i18n.js").Key} Key */
/** @typedef {{original: string | null, denoised: string | null}} Sources addresses of the same picture with two sounds */

const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2];
const HIDE_AFTER_MS = 2600;
/** @type {[string, Key][]} */
const KEYS = [
  ["Space", "player.key-space"],
  ["← →", "player.key-arrows"],
  ["J L", "player.key-jl"],
  ["< >", "player.key-speed"],
  ["M", "player.key-m"],
  ["O", "player.key-o"],
  ["C", "player.key-c"],
  ["/", "player.key-find"],
  ["F", "player.key-f"],
];

/** Plays a recording. Changing the sound or the version keeps the position, the speed and whether it plays. */
export class Player extends HTMLElement {
  constructor() {
    super();
    /** @type {Sources} */
    this.sources = { original: null, denoised: null };
    this.sound = /** @type {"original" | "denoised"} */ ("original");
    /** @type {{at: number, paused: boolean, rate: number} | null} where the next file is to go on */
    this.place = null;
    this.video = h("video", { playsinline: true, preload: "metadata", tLabel: "player.label", "data-testid": "video" });
    this.play = this.button("play", "player.play", "play", () => this.togglePlay());
    this.mute = this.button("sound", "player.mute", "mute", () => (this.video.muted = !this.video.muted));
    this.full = this.button("fullscreen", "player.fullscreen", "fullscreen", () => this.toggleFullscreen());
    this.seek = h("input", { type: "range", class: "seek", min: 0, max: 1, step: "any", value: 0, tLabel: "player.seek", "data-testid": "seek" });
    this.volume = h("input", { type: "range", class: "volume", min: 0, max: 1, step: 0.05, value: 1, tLabel: "player.volume" });
    this.time = h("span", { class: "time", "data-testid": "time" }, "0:00");
    this.speed = h("select", { tLabel: "player.speed", tTitle: "player.speed", "data-testid": "speed" }, ...SPEEDS.map((speed) => h("option", { value: speed, selected: speed === 1 }, `${speed}×`)));
    this.switch = h("fieldset", { class: "sound-switch", hidden: true, "data-testid": "sound-switch" });
    /** @type {HTMLTrackElement | undefined} */
    this.track = undefined;
    this.captions = this.button("captions", "player.captions", "captions", () => this.toggleCaptions());
    this.captions.hidden = true;
    this.captions.setAttribute("aria-pressed", "false");
    this.fault = h("p", { class: "player-fault", role: "alert", hidden: true, t: "player.error" });
    this.onKey = (/** @type {KeyboardEvent} */ event) => this.key(event);
  }

  connectedCallback() {
    document.addEventListener("keydown", this.onKey);
    if (this.childElementCount) return;
    const big = h("button", { type: "button", class: "big-play", tLabel: "player.play", onclick: () => this.togglePlay() }, icon("play"));
    const help = this.button("help", "player.help", "player-help", openKeys);
    const row = h("div", { class: "controls" }, this.play, this.time, this.mute, this.volume, h("span", { class: "grow" }), this.switch, this.captions, this.speed, help, this.full);
    this.append(h("div", { class: "screen" }, this.video, big, this.fault), h("div", { class: "player-bar" }, this.seek, row));
    this.buildSwitch();
    this.listen();
  }

  disconnectedCallback() {
    document.removeEventListener("keydown", this.onKey);
    clearTimeout(this.idleTimer);
    this.video.pause();
  }

  /** @param {Sources} sources @param {string | null} poster */
  load(sources, poster) {
    if (sources.original === this.sources.original && sources.denoised === this.sources.denoised) return;
    const chosen = this.sources.denoised && this.sources.original ? this.sound : "denoised";
    this.sources = sources;
    this.sound = sources.denoised ? chosen : "original";
    this.switch.hidden = !(sources.denoised && sources.original);
    if (poster) this.video.poster = poster;
    this.showSound();
    this.change(sources[this.sound] ?? "");
  }

  /** @param {"original" | "denoised"} sound */
  choose(sound) {
    const address = this.sources[sound];
    if (!address || sound === this.sound) return;
    this.sound = sound;
    this.showSound();
    this.change(address);
  }

  /** Another file of the same meeting; one that was never loaded far enough to have a place leaves it as it was.
   *  @private @param {string} address */
  change(address) {
    const { currentTime, paused, playbackRate } = this.video;
    if (this.video.src) this.place ??= { at: currentTime, paused, rate: playbackRate };
    this.video.src = address;
  }

  /** @private */
  goOn() {
    const { place } = this;
    this.place = null;
    if (!place) return;
    this.video.currentTime = Math.min(place.at, this.video.duration || place.at);
    this.video.playbackRate = place.rate;
    if (!place.paused) this.video.play().catch(() => {});
  }

  /** Go there as soon as it can be gone to. @param {number} time_s */
  startAt(time_s) {
    const go = () => (this.video.currentTime = time_s);
    if (this.video.readyState) go();
    else this.video.addEventListener("loadedmetadata", go, { once: true });
  }

  /** @param {number} time_s */
  playFrom(time_s) {
    this.startAt(time_s);
    this.video.play().catch(() => {});
  }

  /** The WebVTT file of what is said, and by whom; off until it is asked for. @param {string | null} address */
  caption(address) {
    if (address === (this.track?.getAttribute("src") ?? null)) return;
    const mode = this.track?.track.mode ?? "disabled";
    this.track?.remove();
    this.track = address ? h("track", { kind: "captions", src: address, label: t("player.captions") }) : undefined;
    if (this.track) this.video.append(this.track);
    if (this.track) this.track.track.mode = mode;
    this.captions.hidden = !this.track;
  }

  toggleCaptions() {
    if (!this.track) return;
    const { track } = this.track;
    track.mode = track.mode === "showing" ? "disabled" : "showing";
    this.captions.setAttribute("aria-pressed", String(track.mode === "showing"));
  }

  togglePlay() {
    if (this.video.paused) this.video.play().catch(() => {});
    else this.video.pause();
  }

  /** @param {number} seconds */
  skip(seconds) {
    const end = Number.isFinite(this.video.duration) ? this.video.duration : 0;
    this.video.currentTime = Math.min(end, Math.max(0, this.video.currentTime + seconds));
  }

  toggleFullscreen() {
    const video = /** @type {HTMLVideoElement & {webkitEnterFullscreen?: () => void}} */ (this.video);
    if (document.fullscreenElement) document.exitFullscreen().catch(() => {});
    else if (this.requestFullscreen) this.requestFullscreen().catch(() => {});
    else video.webkitEnterFullscreen?.(); // phones of Apple
  }

  /** @private @param {string} iconName @param {Key} label @param {string} testid @param {() => void} onclick */
  button(iconName, label, testid, onclick) {
    return h("button", { type: "button", class: "icon-button", tLabel: label, tTitle: label, "data-testid": testid, onclick }, icon(iconName));
  }

  /** @private */
  buildSwitch() {
    const group = uniqueId("sound");
    this.switch.append(h("legend", { class: "visually-hidden", t: "player.sound" }));
    for (const sound of /** @type {const} */ (["original", "denoised"])) {
      const input = h("input", { type: "radio", name: group, value: sound, onchange: () => this.choose(sound), "data-testid": `sound-${sound}` });
      this.switch.append(h("label", {}, input, h("span", { t: `player.${sound}` })));
    }
  }

  /** @private */
  showSound() {
    this.dataset.sound = this.sound;
    for (const input of this.switch.querySelectorAll("input")) input.checked = input.value === this.sound;
  }

  /** @private */
  listen() {
    const { video } = this;
    for (const type of ["play", "pause", "ended"]) video.addEventListener(type, () => this.showPlaying());
    for (const type of ["timeupdate", "loadedmetadata", "durationchange", "seeked"]) video.addEventListener(type, () => this.showTime());
    video.addEventListener("volumechange", () => this.showVolume());
    video.addEventListener("ratechange", () => (this.speed.value = String(video.playbackRate)));
    video.addEventListener("error", () => (this.fault.hidden = !video.error));
    video.addEventListener("loadedmetadata", () => (this.fault.hidden = true));
    video.addEventListener("loadedmetadata", () => this.goOn());
    video.addEventListener("click", () => this.togglePlay());
    video.addEventListener("dblclick", () => this.toggleFullscreen());
    this.seek.addEventListener("input", () => (video.currentTime = Number(this.seek.value)));
    this.volume.addEventListener("input", () => {
      video.volume = Number(this.volume.value);
      video.muted = video.volume === 0;
    });
    this.speed.addEventListener("change", () => this.playRate(Number(this.speed.value)));
    this.addEventListener("fullscreenchange", () => this.showFullscreen());
    for (const type of ["pointermove", "pointerdown", "keydown"]) this.addEventListener(type, () => this.wake());
  }

  /** @private */
  showPlaying() {
    const playing = !this.video.paused;
    this.toggleAttribute("data-playing", playing);
    this.play.replaceChildren(icon(playing ? "pause" : "play"));
    for (const slot of /** @type {const} */ (["tLabel", "tTitle"])) say(this.play, playing ? "player.pause" : "player.play", undefined, slot);
    this.wake();
  }

  /** @private */
  showTime() {
    const { currentTime, duration } = this.video;
    const end = Number.isFinite(duration) ? duration : 0;
    this.seek.max = String(end || 1);
    this.seek.value = String(currentTime);
    this.seek.style.setProperty("--played", `${end ? (currentTime / end) * 100 : 0}%`);
    this.seek.setAttribute("aria-valuetext", `${formatClock(currentTime)} / ${formatClock(end)}`);
    this.time.textContent = `${formatClock(currentTime)} / ${formatClock(end)}`;
  }

  /** @private */
  showVolume() {
    const silent = this.video.muted || this.video.volume === 0;
    this.volume.value = String(this.video.muted ? 0 : this.video.volume);
    this.mute.replaceChildren(icon(silent ? "sound-off" : "sound"));
    for (const slot of /** @type {const} */ (["tLabel", "tTitle"])) say(this.mute, silent ? "player.unmute" : "player.mute", undefined, slot);
  }

  /** @private */
  showFullscreen() {
    const full = document.fullscreenElement === this;
    this.full.replaceChildren(icon(full ? "fullscreen-exit" : "fullscreen"));
    for (const slot of /** @type {const} */ (["tLabel", "tTitle"])) say(this.full, full ? "player.fullscreen-exit" : "player.fullscreen", undefined, slot);
  }

  /** In full screen, the controls hide while nothing is touched. @private */
  wake() {
    this.removeAttribute("data-idle");
    clearTimeout(this.idleTimer);
    this.idleTimer = setTimeout(() => this.toggleAttribute("data-idle", !this.video.paused), HIDE_AFTER_MS);
  }

  /** Also what another file begins with. @private @param {number} rate */
  playRate(rate) {
    this.video.defaultPlaybackRate = rate;
    this.video.playbackRate = rate;
  }

  /** @private @param {number} direction */
  changeSpeed(direction) {
    const index = SPEEDS.indexOf(this.video.playbackRate);
    this.playRate(SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, index + direction))] ?? 1);
  }

  /** @private @param {KeyboardEvent} event */
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const target = event.target instanceof Element ? event.target : null;
    if (target?.closest("input:not(.seek, [type=radio]), select, textarea")) return;
    if (event.key === " " && target?.closest("button, a, summary, input")) return;
    const action = this.actions()[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }

  /** @private @returns {Record<string, () => void>} */
  actions() {
    return {
      " ": () => this.togglePlay(),
      k: () => this.togglePlay(),
      ArrowLeft: () => this.skip(-5),
      ArrowRight: () => this.skip(5),
      j: () => this.skip(-10),
      l: () => this.skip(10),
      f: () => this.toggleFullscreen(),
      m: () => (this.video.muted = !this.video.muted),
      o: () => this.choose(this.sound === "original" ? "denoised" : "original"),
      c: () => this.toggleCaptions(),
      "<": () => this.changeSpeed(-1),
      ">": () => this.changeSpeed(1),
      "?": openKeys,
    };
  }
}

function openKeys() {
  const rows = KEYS.map(([keys, text]) => h("div", {}, h("dt", {}, ...keys.split(" ").map((key) => h("kbd", {}, key))), h("dd", { t: text })));
  openDialog({ title: "player.help", body: [h("dl", { class: "keys" }, ...rows)], testid: "player-help-dialog" });
}

customElements.define("vmeet-player", Player);
