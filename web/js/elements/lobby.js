import { fill, h, LocalizedElement, uniqueId } from "../dom.js";
import { missingProtection } from "../effect-control.js";
import { formatList } from "../i18n.js";
import { icon } from "../icons.js";
import { cleanName, MAX_NAME_CHARS } from "../protocol.js";
import { remembered } from "../storage.js";
import { DevicePicker } from "./device-picker.js";
import { titleOf } from "./effect-card.js";
import { EffectsPanel } from "./effects-panel.js";
import { LobbyRecording } from "./lobby-recording.js";
import { Preview } from "./preview.js";

/** @typedef {import("../types.js").Meeting} Meeting */
/** @typedef {import("../session.js").Session} Session */

/** Before the meeting: one's name, picture and sound, and the effects on them. Event: `vmeet-join` (detail: name). */
export class Lobby extends LocalizedElement {
  /** @param {Meeting} [meeting] @param {Session} [session] @param {string} [name] */
  constructor(meeting, session, name = "") {
    super();
    this.meeting = meeting;
    this.session = session ?? null;
    this.media = session?.media ?? null;
    this.recording = new LobbyRecording(meeting);
    this.captions = captionNote(meeting?.captions ?? null);
    this.notes = h("div", { class: "lobby-notes", role: "status", "data-testid": "lobby-notes" });
    this.hint = h("p", { class: "muted small", hidden: true, t: "effects.preview-hint", "data-testid": "preview-hint" });
    this.refusal = "";
    this.said = "";
    this.changed = () => this.showNotes();
    this.refused = (/** @type {Event} */ event) => {
      this.refusal = /** @type {CustomEvent} */ (event).detail;
      this.showNotes();
    };
    const given = { type: "text", required: true, maxlength: MAX_NAME_CHARS, value: name || remembered.name() };
    const id = uniqueId("name");
    this.name = h("input", { ...given, id, autocomplete: "name", "data-testid": "name", tPlaceholder: "lobby.name-placeholder" });
    this.label = h("label", { for: id, t: "lobby.name" });
  }

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    if (this.childElementCount || !this.meeting || !this.media) return;
    this.dataset.testid = "lobby";
    const preview = new Preview(this.session);
    const devices = new DevicePicker();
    preview.media = devices.media = this.media;
    this.append(
      h("section", { class: "lobby-media" }, preview, this.hint),
      h("section", { class: "lobby-form card" }, ...this.heading(this.meeting), this.form(), this.notes, advanced(devices), this.effects()),
    );
    for (const type of ["state", "preview-failed"]) this.session?.addEventListener(type, this.changed);
    this.session?.effects?.addEventListener("refused", this.refused);
    this.showNotes();
    this.media.start({ camera: remembered.wanted("camera"), microphone: remembered.wanted("microphone") });
    this.name.focus();
  }

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    for (const type of ["state", "preview-failed"]) this.session?.removeEventListener(type, this.changed);
    this.session?.effects?.removeEventListener("refused", this.refused);
  }

  /** Titles of effects do not follow the language by themselves. @override */
  localize() {
    this.showNotes();
  }

  /** @private */
  effects() {
    const { session } = this;
    if (!session?.effects?.offers.length) return null;
    const panel = new EffectsPanel(session.effects, session);
    return h("details", { class: "lobby-effects", "data-testid": "lobby-effects" }, h("summary", { t: "effects.title" }), panel);
  }

  /** What a person has to know of the effects before coming in. @private */
  showNotes() {
    const effects = this.session?.effects ?? null;
    this.hint.hidden = this.session?.state !== "previewing" || this.session.previewFailed;
    const missing = formatList(missingProtection(this.meeting?.effects ?? null).map(titleOf));
    const outdated = formatList((effects?.outdated ?? []).map(titleOf));
    const said = JSON.stringify([missing, outdated, this.refusal, this.session?.previewFailed]);
    if (said === this.said) return; // it is read out
    this.said = said;
    fill(
      this.notes,
      missing ? note("warning", h("p", { t: "effects.missing", tParams: { titles: missing } })) : null,
      outdated ? note("", h("p", { t: "effects.outdated", tParams: { titles: outdated } })) : null,
      this.refusal ? note("warning", h("p", { t: "effects.refused" }), h("p", { class: "detail" }, this.refusal)) : null,
      this.session?.previewFailed ? note("", h("p", { t: "effects.no-preview" })) : null,
    );
  }

  /** @private @param {Meeting} meeting */
  heading(meeting) {
    const people = meeting.people ?? 0;
    return [
      h("h1", {}, meeting.title),
      h("p", { class: "muted", t: people ? "lobby.people" : "lobby.nobody", tParams: { count: people } }),
    ];
  }

  /** @private */
  form() {
    const button = h("button", { type: "submit", class: "primary large", t: "lobby.join", "aria-describedby": `${this.recording.notice.id} ${this.captions?.id ?? ""}`.trim(), "data-testid": "join" });
    const submit = (/** @type {Event} */ event) => {
      event.preventDefault();
      this.join(cleanName(this.name.value));
    };
    return h("form", { onsubmit: submit }, h("div", { class: "field" }, this.label, this.name), this.recording, this.captions, button);
  }

  /** @private @param {string} name */
  join(name) {
    if (!name) return;
    remembered.setName(name);
    this.dispatchEvent(new CustomEvent("vmeet-join", { detail: name }));
  }
}

/** @param {string} tone @param {...Node} words */
function note(tone, ...words) {
  return h("div", { class: `callout ${tone}` }, icon(tone || "info"), h("div", {}, ...words));
}

/** That what one says will be written down. @param {Meeting["captions"] | null} captions */
function captionNote(captions) {
  if (!captions) return null;
  const told = h("p", { t: captions.leaves_host ? "captions.told-away" : "captions.told", tParams: { title: captions.title } });
  const kept = h("p", { class: "small", t: "captions.not-kept" });
  return h("div", { class: "callout", id: uniqueId("captions"), "data-testid": "lobby-captions" }, icon("captions"), h("div", {}, told, kept));
}

/** @param {DevicePicker} devices */
function advanced(devices) {
  return h("details", {}, h("summary", { t: "devices.title" }), devices);
}

customElements.define("vmeet-lobby", Lobby);
