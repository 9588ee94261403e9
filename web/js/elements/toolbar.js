import { h } from "../dom.js";
import { say } from "../i18n.js";
import { icon } from "../icons.js";
import { canShareScreen } from "../screen-share.js";
import { LanguageSwitch } from "./language-switch.js";
import { showSwitch } from "./preview.js";

/** @typedef {import("../i18n.js").Key} Key */
/** @typedef {import("../shortcuts.js").Action | "leave"} ToolbarAction */

const NARROW = "(max-width: 46rem)";

/** The buttons of a meeting; the rarer ones are behind "more" where there is no room. Event: `vmeet-action` (detail: ToolbarAction). */
export class Toolbar extends HTMLElement {
  constructor() {
    super();
    this.microphone = this.button("microphone", "microphone", "toolbar.microphone-turn-off", "toggle-microphone");
    this.camera = this.button("camera", "camera", "toolbar.camera-turn-off", "toggle-camera");
    this.screen = this.button("screen", "screen", "toolbar.share", "toggle-screen");
    this.record = this.button("record", "record", "toolbar.record", "toggle-recording");
    this.chat = this.button("chat", "chat", "toolbar.chat", "toggle-chat");
    this.people = this.button("people", "people", "toolbar.people", "toggle-people");
    this.effects = this.button("effects", "sparkle", "toolbar.effects", "toggle-effects");
    this.effects.hidden = true;
    this.captions = this.button("captions", "captions", "toolbar.captions-hide", "toggle-captions");
    this.said = this.button("said", "file", "toolbar.said", "toggle-said");
    this.captions.hidden = this.said.hidden = true;
    this.streams = this.button("streams", "broadcast", "toolbar.streams", "open-streams");
    this.count = h("span", { class: "count", "data-testid": "people-count" });
    this.unread = h("span", { class: "count unread", hidden: true, "aria-hidden": "true", "data-testid": "chat-unread" });
    this.secondary = h("div", { class: "secondary" });
    this.more = h("button", { type: "button", class: "round more", tLabel: "toolbar.more", tTitle: "toolbar.more", "aria-expanded": "false", "data-testid": "more", onclick: () => this.toggleMore() }, icon("more"));
    this.narrow = matchMedia(NARROW);
    this.onNarrow = () => this.arrange();
    this.onPointer = (/** @type {PointerEvent} */ event) => this.contains(/** @type {Node} */ (event.target)) || this.toggleMore(false);
  }

  connectedCallback() {
    this.narrow.addEventListener("change", this.onNarrow);
    document.addEventListener("pointerdown", this.onPointer);
    if (this.childElementCount) return;
    this.setAttribute("role", "toolbar");
    say(this, "toolbar.label", undefined, "tLabel");
    this.build();
    this.arrange();
  }

  disconnectedCallback() {
    this.narrow.removeEventListener("change", this.onNarrow);
    document.removeEventListener("pointerdown", this.onPointer);
  }

  /** @param {{microphone: boolean, camera: boolean}} on */
  setSources(on) {
    showSwitch(this.microphone, "microphone", on.microphone);
    showSwitch(this.camera, "camera", on.camera);
  }

  /** @param {boolean} on whether the own screen is shared */
  setScreen(on) {
    this.screen.setAttribute("aria-pressed", String(on));
    this.screen.dataset.on = String(on);
    this.screen.classList.toggle("on", on);
    say(this.screen, on ? "toolbar.share-stop" : "toolbar.share", undefined, "tTitle");
  }

  /** @param {boolean} isHost @param {boolean} active */
  setRecording(isHost, active) {
    this.record.hidden = !isHost;
    this.record.classList.toggle("recording", active);
    this.record.dataset.on = String(active);
    this.record.firstElementChild?.replaceWith(icon(active ? "stop" : "record"));
    relabel(this.record, active ? "toolbar.record-stop" : "toolbar.record");
  }

  /** @param {boolean} possible whether this person may have other programs publish and watch */
  setStreams(possible) {
    this.streams.hidden = !possible;
  }

  /** @param {boolean} possible whether the meeting has live effects */
  setEffects(possible) {
    this.effects.hidden = !possible;
  }

  /** @param {boolean} failed whether one of them does not work */
  setEffectTrouble(failed) {
    this.effects.classList.toggle("off", failed);
    relabel(this.effects, failed ? "toolbar.effects-failed" : "toolbar.effects");
  }

  /** @param {boolean} possible whether the meeting has captions @param {boolean} shown */
  setCaptions(possible, shown) {
    this.captions.hidden = this.said.hidden = !possible;
    this.captions.classList.toggle("on", shown);
    this.captions.dataset.on = String(shown);
    relabel(this.captions, shown ? "toolbar.captions-hide" : "toolbar.captions-show");
  }

  /** @param {number} people */
  setPeople(people) {
    this.count.textContent = String(people);
  }

  /** @param {number} count of messages that were not seen yet */
  setUnread(count) {
    this.unread.hidden = !count;
    this.unread.textContent = count > 99 ? "99+" : String(count);
    relabel(this.chat, count ? "toolbar.chat-unread" : "toolbar.chat", count ? { count } : undefined);
  }

  /** @param {"people" | "chat" | "effects" | "said" | null} panel the one that is open */
  setPanel(panel) {
    for (const name of /** @type {const} */ (["people", "chat", "effects", "said"])) {
      this[name].setAttribute("aria-expanded", String(name === panel));
      this[name].classList.toggle("on", name === panel);
    }
  }

  /** On a phone some buttons are behind "more". @param {"people" | "chat" | "effects" | "said"} name */
  focusOn(name) {
    (this[name].checkVisibility() ? this[name] : this.more).focus();
  }

  /** @param {boolean} [open] @returns {boolean} whether that changed anything */
  toggleMore(open = !this.hasAttribute("data-more")) {
    const changes = open !== this.hasAttribute("data-more");
    this.toggleAttribute("data-more", open);
    this.more.setAttribute("aria-expanded", String(open));
    return changes;
  }

  /** @private */
  build() {
    this.people.append(this.count);
    this.chat.append(this.unread);
    this.record.hidden = this.streams.hidden = true;
    this.screen.hidden = !canShareScreen();
    this.setScreen(false);
    this.setPanel(null);
    const leave = this.button("leave", "leave", "toolbar.leave", "leave");
    leave.classList.add("danger");
    this.secondary.append(
      this.said,
      this.button("copy-link", "link", "toolbar.copy-link", "copy-link"),
      this.button("statistics", "bars", "toolbar.statistics", "open-statistics"),
      this.streams,
      this.button("devices", "settings", "toolbar.devices", "open-devices"),
      this.button("help", "help", "toolbar.help", "open-help"),
      new LanguageSwitch(),
    );
    this.secondary.addEventListener("click", () => this.toggleMore(false));
    this.append(this.microphone, this.camera, this.chat, this.people, this.secondary, this.more, leave);
  }

  /** On a phone sharing, effects, captions and recording are behind "more": what everyone needs has to fit in one row. @private */
  arrange() {
    if (this.narrow.matches) this.secondary.prepend(this.screen, this.effects, this.captions, this.record);
    else this.camera.after(this.screen, this.effects, this.captions, this.record);
    this.toggleMore(false);
  }

  /** @private @param {ToolbarAction} action @param {string} iconName @param {Key} label @param {string} testid */
  button(action, iconName, label, testid) {
    const ask = () => this.dispatchEvent(new CustomEvent("vmeet-action", { detail: action }));
    const properties = { type: "button", class: "round", tLabel: label, tTitle: label, "data-testid": testid, onclick: ask };
    return h("button", properties, icon(iconName), h("span", { class: "label", t: label }));
  }
}

/** @param {HTMLButtonElement} button @param {Key} key @param {import("../i18n.js").Params} [params] */
function relabel(button, key, params) {
  const label = button.querySelector(".label");
  if (label) say(label, key, params);
  say(button, key, params, "tLabel");
  say(button, key, params, "tTitle");
}

customElements.define("vmeet-toolbar", Toolbar);
