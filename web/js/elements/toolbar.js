import { h } from "../dom.js";
import { say } from "../i18n.js";
import { icon } from "../icons.js";
import { LanguageSwitch } from "./language-switch.js";
import { showSwitch } from "./preview.js";

/** @typedef {import("../i18n.js").Key} Key */
/** @typedef {import("../shortcuts.js").Action | "leave"} ToolbarAction */

/** The buttons of a meeting. Event: `vmeet-action` (detail: ToolbarAction). */
export class Toolbar extends HTMLElement {
  constructor() {
    super();
    this.microphone = this.button("microphone", "microphone", "toolbar.microphone-turn-off", "toggle-microphone");
    this.camera = this.button("camera", "camera", "toolbar.camera-turn-off", "toggle-camera");
    this.record = this.button("record", "record", "toolbar.record", "toggle-recording");
    this.people = this.button("people", "people", "toolbar.people", "toggle-people");
    this.count = h("span", { class: "count", "data-testid": "people-count" });
    this.secondary = h("div", { class: "secondary" });
    this.more = h("button", { type: "button", class: "round more", tLabel: "toolbar.more", tTitle: "toolbar.more", "aria-expanded": "false", "data-testid": "more", onclick: () => this.toggleMore() }, icon("more"));
  }

  connectedCallback() {
    if (this.childElementCount) return;
    this.setAttribute("role", "toolbar");
    say(this, "toolbar.label", undefined, "tLabel");
    this.people.append(this.count);
    this.record.hidden = true;
    const leave = this.button("leave", "leave", "toolbar.leave", "leave");
    leave.classList.add("danger");
    this.secondary.append(
      this.button("copy-link", "link", "toolbar.copy-link", "copy-link"),
      this.button("devices", "settings", "toolbar.devices", "open-devices"),
      this.button("help", "help", "toolbar.help", "open-help"),
      new LanguageSwitch(),
    );
    this.secondary.addEventListener("click", () => this.toggleMore(false));
    this.append(this.microphone, this.camera, this.record, this.people, this.secondary, this.more, leave);
  }

  /** @param {{microphone: boolean, camera: boolean}} on */
  setSources(on) {
    showSwitch(this.microphone, "microphone", on.microphone);
    showSwitch(this.camera, "camera", on.camera);
  }

  /** @param {boolean} isHost @param {boolean} active */
  setRecording(isHost, active) {
    this.record.hidden = !isHost;
    this.record.classList.toggle("recording", active);
    this.record.dataset.on = String(active);
    this.record.firstElementChild?.replaceWith(icon(active ? "stop" : "record"));
    const key = active ? "toolbar.record-stop" : "toolbar.record";
    say(this.record, key, undefined, "tLabel");
    say(this.record, key, undefined, "tTitle");
  }

  /** @param {number} people */
  setPeople(people) {
    this.count.textContent = String(people);
  }

  /** @private @param {boolean} [open] */
  toggleMore(open = !this.hasAttribute("data-more")) {
    this.toggleAttribute("data-more", open);
    this.more.setAttribute("aria-expanded", String(open));
  }

  /** @private @param {ToolbarAction} action @param {string} iconName @param {Key} label @param {string} testid */
  button(action, iconName, label, testid) {
    const ask = () => this.dispatchEvent(new CustomEvent("vmeet-action", { detail: action }));
    const properties = { type: "button", class: "round", tLabel: label, tTitle: label, "data-testid": testid, onclick: ask };
    return h("button", properties, icon(iconName), h("span", { class: "label", t: label }));
  }
}

customElements.define("vmeet-toolbar", Toolbar);
