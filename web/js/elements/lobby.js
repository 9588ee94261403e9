import { h, uniqueId } from "../dom.js";
import { icon } from "../icons.js";
import { cleanName, MAX_NAME_CHARS } from "../protocol.js";
import { remembered } from "../storage.js";
import { DevicePicker } from "./device-picker.js";
import { Preview } from "./preview.js";

/** @typedef {import("../types.js").Meeting} Meeting */
/** @typedef {import("../local-media.js").LocalMedia} LocalMedia */

/** Before the meeting: one's name, picture and sound. Event: `vmeet-join` (detail: name). */
export class Lobby extends HTMLElement {
  /** @param {Meeting} [meeting] @param {LocalMedia} [media] @param {string} [name] */
  constructor(meeting, media, name = "") {
    super();
    this.meeting = meeting;
    this.media = media ?? null;
    const given = { type: "text", required: true, maxlength: MAX_NAME_CHARS, value: name || remembered.name() };
    const id = uniqueId("name");
    this.name = h("input", { ...given, id, autocomplete: "name", "data-testid": "name", tPlaceholder: "lobby.name-placeholder" });
    this.label = h("label", { for: id, t: "lobby.name" });
  }

  connectedCallback() {
    if (this.childElementCount || !this.meeting || !this.media) return;
    this.dataset.testid = "lobby";
    const preview = new Preview();
    const devices = new DevicePicker();
    preview.media = devices.media = this.media;
    this.append(
      h("section", { class: "lobby-media" }, preview),
      h("section", { class: "lobby-form card" }, ...this.heading(this.meeting), this.form(), advanced(devices)),
    );
    this.media.start({ camera: remembered.wanted("camera"), microphone: remembered.wanted("microphone") });
    this.name.focus();
  }

  /** @private @param {Meeting} meeting */
  heading(meeting) {
    const people = meeting.people ?? 0;
    return [
      h("h1", {}, meeting.title),
      h("p", { class: "muted", t: people ? "lobby.people" : "lobby.nobody", tParams: { count: people } }),
      meeting.recording
        ? h("p", { class: "callout danger", "data-testid": "lobby-recording" }, icon("record"), h("span", { t: "lobby.recording" }))
        : null,
    ].filter((each) => each !== null);
  }

  /** @private */
  form() {
    const button = h("button", { type: "submit", class: "primary large", t: "lobby.join", "data-testid": "join" });
    const submit = (/** @type {Event} */ event) => {
      event.preventDefault();
      this.join(cleanName(this.name.value));
    };
    return h("form", { onsubmit: submit }, h("div", { class: "field" }, this.label, this.name), button);
  }

  /** @private @param {string} name */
  join(name) {
    if (!name) return;
    remembered.setName(name);
    this.dispatchEvent(new CustomEvent("vmeet-join", { detail: name }));
  }
}

/** @param {DevicePicker} devices */
function advanced(devices) {
  return h("details", {}, h("summary", { t: "devices.title" }), devices);
}

customElements.define("vmeet-lobby", Lobby);
