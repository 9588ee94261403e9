import { factOf, switchFor } from "../consent.js";
import { h } from "../dom.js";
import { say } from "../i18n.js";
import { icon } from "../icons.js";
import { QualitySign } from "./quality-sign.js";
import { hueOf, initialOf } from "./tile.js";

/** @typedef {import("../protocol.js").ParticipantInfo} ParticipantInfo */
/** @typedef {import("../protocol.js").SourceKind} SourceKind */
/** @typedef {import("../i18n.js").Key} Key */

/** What a switch asks for: `by` says whose word it is. @typedef {{id: string, by: "self" | "host", recorded: boolean}} ConsentWish */

/** One person in the list of people: it stays while the person does, so that a change touches only what changed.
 *  Event, of its switch: `vmeet-consent` (detail: ConsentWish). */
export class PersonRow {
  /** @param {ParticipantInfo} person @param {boolean} own */
  constructor(person, own) {
    this.person = person;
    this.own = own;
    this.speaking = false;
    this.avatar = h("span", { class: "avatar small", "aria-hidden": "true" });
    this.name = h("span", { class: "name" });
    this.facts = h("span", { class: "facts" });
    this.signs = h("span", { class: "signs" });
    this.quality = new QualitySign();
    this.unrecorded = h("span", { class: "fact left-out", hidden: true, "data-testid": "left-out" });
    /** @type {import("../consent.js").ConsentSwitch | null} */
    this.consent = null;
    this.switch = h("button", { type: "button", role: "switch", class: "icon-button small consent", hidden: true, "data-testid": "record-person", onclick: () => this.choose() });
    this.element = h("li", { "data-participant-id": person.id }, this.avatar, h("span", { class: "who" }, this.name, this.facts, this.unrecorded), this.signs, this.switch, this.quality);
    this.avatar.style.setProperty("--hue", String(hueOf(person.id)));
    this.update(person);
  }

  /** @param {ParticipantInfo} person */
  update(person) {
    this.person = person;
    this.name.textContent = person.name;
    this.name.title = person.name;
    this.avatar.replaceChildren(person.is_stream ? icon("broadcast") : initialOf(person.name));
    this.element.classList.toggle("away", !person.connected);
    if (!person.connected) this.quality.show(0);
    this.facts.replaceChildren(...factsOf(person, this.own));
    this.showSigns();
  }

  /** @param {import("../consent.js").RecordingRights} rights */
  showConsent(rights) {
    const fact = factOf(this.person, rights.active);
    this.unrecorded.hidden = !fact;
    if (fact) say(this.unrecorded, fact);
    const consent = (this.consent = switchFor(this.person, this.own, rights));
    this.switch.hidden = !consent;
    if (!consent) return;
    this.switch.setAttribute("aria-checked", String(consent.recorded));
    this.switch.setAttribute("aria-disabled", String(!consent.possible)); // focusable all the same: it says why
    if (this.switch.dataset.on !== String(consent.recorded)) this.switch.replaceChildren(icon(consent.recorded ? "record" : "record-off"));
    this.switch.dataset.on = String(consent.recorded);
    for (const slot of /** @type {const} */ (["tLabel", "tTitle"])) say(this.switch, consent.text, { name: this.person.name }, slot);
  }

  /** @private */
  choose() {
    if (!this.consent?.possible) return;
    const { by, recorded } = this.consent;
    /** @type {ConsentWish} */
    const detail = { id: this.person.id, by, recorded: !recorded };
    this.switch.dispatchEvent(new CustomEvent("vmeet-consent", { bubbles: true, detail }));
  }

  /** @param {boolean} speaking */
  setSpeaking(speaking) {
    if (this.speaking === speaking) return;
    this.speaking = speaking;
    this.element.classList.toggle("speaking", speaking);
    this.showSigns();
  }

  /** @param {import("../quality.js").Quality} level */
  setQuality(level) {
    this.quality.show(this.person.connected ? level : 0);
  }

  /** @private */
  showSigns() {
    const signs = [microphoneSign(this.person, this.speaking), cameraSign(this.person)];
    if (isSending(this.person, "screen")) signs.unshift(sign("screen", "people.sharing", "on"));
    this.signs.replaceChildren(...signs);
  }
}

/** Whether the filters of the camera do not work now. @param {ParticipantInfo} person
 *  @returns {person is ParticipantInfo & {camera_effects: "interrupted" | "failed"}} */
export function isAiling(person) {
  return isSending(person, "camera") && (person.camera_effects === "interrupted" || person.camera_effects === "failed");
}

/** @param {ParticipantInfo} person @param {SourceKind} source */
export function isSending(person, source) {
  return person.sources.includes(source) && !person.muted.includes(source);
}

/** @param {ParticipantInfo} person @param {boolean} own */
function factsOf(person, own) {
  /** @type {(Key | false)[]} */
  const facts = [own && "people.you", person.is_host && "people.host", person.is_stream && "people.stream"];
  const tags = facts.filter((key) => key !== false).map((key) => h("span", { class: "fact", t: key }));
  if (isAiling(person)) tags.push(h("span", { class: "fact warning", t: `people.effects-${person.camera_effects}` }));
  if (!person.connected) tags.push(h("span", { class: "fact warning", t: "people.reconnecting" }));
  return tags;
}

/** @param {ParticipantInfo} person @param {boolean} speaking */
function microphoneSign(person, speaking) {
  if (!isSending(person, "microphone")) return sign("microphone-off", "people.microphone-off", "off");
  return speaking ? sign("voice", "people.speaking", "on") : sign("microphone", "people.microphone-on", "");
}

/** @param {ParticipantInfo} person */
function cameraSign(person) {
  return isSending(person, "camera") ? sign("camera", "people.camera-on", "") : sign("camera-off", "people.camera-off", "off");
}

/** @param {string} name of the icon @param {Key} key @param {string} state */
function sign(name, key, state) {
  const element = h("span", { class: `sign ${state}`, role: "img", tLabel: key }, icon(name));
  say(element, key, undefined, "tTitle");
  return element;
}
