import { api, thumbnailUrl } from "../api.js";
import { h, uniqueId } from "../dom.js";
import { language, say } from "../i18n.js";
import { icon } from "../icons.js";
import { remembered } from "../storage.js";
import { PictureUpload } from "./picture-upload.js";

/** @typedef {{effect: "none"} | {effect: "blur"} | {effect: "replace", background: string}} Pick */

/** @type {[string, import("../i18n.js").Key][]} */
const COLOURS = [["#1f2f38", "effects.colour-night"], ["#20603c", "effects.colour-green"], ["#e6ded1", "effects.colour-sand"]];
const FIRST_OWN_COLOUR = "#7a5c8e";
const MAX_REMEMBERED = 24;

/** What is behind a person: nothing, blur, a colour, a picture. Event: `vmeet-pick` (detail: Pick) when a person chooses. */
export class BackgroundPicker extends HTMLElement {
  /** @param {string} [meetingId] @param {boolean} [none] whether there may be no effect at all */
  constructor(meetingId = "", none = false) {
    super();
    this.none = h("button", { type: "button", "aria-pressed": "false", hidden: !none, onclick: () => this.choose({ effect: "none" }) }, h("span", { class: "picture" }, icon("none")), h("span", { class: "name", t: "effects.none" }));
    this.group = uniqueId("background");
    /** @type {Map<string, HTMLInputElement>} by the background, or "blur" */
    this.radios = new Map();
    this.grid = h("div", { class: "backgrounds" });
    this.colour = h("input", { type: "color", value: FIRST_OWN_COLOUR, tLabel: "effects.own-colour", "data-testid": "own-colour" });
    this.ownColour = this.tile("", this.colour, h("span", { t: "effects.own-colour" }));
    say(this.ownColour.radio, "effects.own-colour", undefined, "tLabel"); // or it would be read out with the colour's number
    this.upload = new PictureUpload(meetingId);
    /** @type {Pick} */
    this.pick = { effect: "blur" };
  }

  connectedCallback() {
    if (this.childElementCount) return;
    this.dataset.testid = "background-picker";
    this.build();
    this.append(h("fieldset", {}, h("legend", { t: "effects.background" }), this.grid), this.upload);
    this.colour.addEventListener("input", () => this.choose({ effect: "replace", background: this.colour.value }));
    this.upload.addEventListener("vmeet-picture", (event) => this.added(/** @type {CustomEvent<string>} */ (event).detail));
    this.load();
  }

  /** Shows what is chosen. @param {Pick} pick */
  show(pick) {
    this.pick = pick;
    this.none.setAttribute("aria-pressed", String(pick.effect === "none"));
    if (pick.effect === "none") return this.grid.querySelectorAll("input[type=radio]").forEach((each) => (/** @type {HTMLInputElement} */ (each).checked = false));
    const key = keyOf(pick);
    if (pick.effect === "replace" && !this.radios.has(key)) {
      if (key.startsWith("#")) this.colour.value = key;
      else this.addPicture(key, h("span", { t: "effects.picture" }));
    }
    const chosen = this.radios.get(key) ?? this.ownColour.radio;
    chosen.checked = true;
    return undefined;
  }

  /** @private */
  build() {
    // No radio button: the arrow keys must not uncover the room on their way.
    this.grid.append(h("div", { class: "background", "data-background": "none" }, this.none));
    this.add("blur", h("span", { class: "swatch blurred" }), h("span", { t: "effects.blur" }));
    for (const [colour, name] of COLOURS) this.add(colour, swatch(colour), h("span", { t: name }));
    this.ownColour.radio.addEventListener("change", () => this.choose({ effect: "replace", background: this.colour.value }));
    this.grid.append(this.ownColour.element);
    for (const name of remembered.pictures()) this.addOwn(name);
    this.show(this.pick);
  }

  /** Those of the server. @private */
  async load() {
    const pictures = await api.pictures().catch(() => []); // the others can be chosen all the same
    for (const { name, title } of pictures) {
      this.radios.get(name)?.closest(".background")?.remove(); // chosen before it was known what it is
      this.addPicture(name, h("span", {}, title[language()] ?? title.en ?? name));
    }
    this.show(this.pick);
  }

  /** @private @param {string} name @param {HTMLElement} label */
  addPicture(name, label) {
    const image = h("img", { src: thumbnailUrl(name), alt: "", loading: "lazy", decoding: "async" });
    return { image, element: this.add(name, image, label).element };
  }

  /** One that was added in this browser, and may be taken from the list. @private @param {string} name */
  addOwn(name) {
    const { image, element } = this.addPicture(name, h("span", { t: "effects.own-picture" }));
    element.append(this.removeButton(name, element));
    image.addEventListener("error", () => this.forget(name, element)); // the server does not have it any more
  }

  /** @private @param {string} name @param {HTMLElement} element */
  removeButton(name, element) {
    const remove = () => {
      this.forget(name, element);
      this.upload.focus();
    };
    return h("button", { type: "button", class: "icon-button remove", tLabel: "effects.remove-picture", tTitle: "effects.remove-picture", "data-testid": "remove-picture", onclick: remove }, icon("close"));
  }

  /** Of what is gone, a blur takes the place: the room stays hidden. @private @param {string} name @param {HTMLElement} element */
  forget(name, element) {
    const chosen = this.radios.get(name)?.checked;
    this.radios.delete(name);
    element.remove();
    remembered.setPictures(remembered.pictures().filter((each) => each !== name));
    if (chosen) this.choose({ effect: "blur" });
  }

  /** @private @param {string} name of a picture that the server has now */
  added(name) {
    remembered.setPictures([name, ...remembered.pictures().filter((each) => each !== name)].slice(0, MAX_REMEMBERED));
    if (!this.radios.has(name)) this.addOwn(name);
    this.choose({ effect: "replace", background: name });
    this.radios.get(name)?.focus();
  }

  /** @private @param {Pick} pick */
  choose(pick) {
    this.show(pick);
    this.dispatchEvent(new CustomEvent("vmeet-pick", { detail: pick }));
  }

  /** @private @param {string} key @param {Element} picture @param {HTMLElement} label */
  add(key, picture, label) {
    const tile = this.tile(key, picture, label);
    this.radios.set(key, tile.radio);
    tile.radio.addEventListener("change", () => this.choose(pickOf(key)));
    this.grid.append(tile.element);
    return tile;
  }

  /** @private @param {string} key @param {Element} picture @param {HTMLElement} label */
  tile(key, picture, label) {
    const radio = h("input", { type: "radio", name: this.group, value: key });
    label.classList.add("name");
    const element = h("div", { class: "background", "data-background": key || "own-colour" }, h("label", {}, radio, h("span", { class: "picture" }, picture), label));
    return { radio, element };
  }
}

/** @param {string} colour */
function swatch(colour) {
  const element = h("span", { class: "swatch" });
  element.style.setProperty("background", colour);
  return element;
}

/** @param {Exclude<Pick, {effect: "none"}>} pick */
function keyOf(pick) {
  return pick.effect === "replace" ? pick.background.toLowerCase() : pick.effect;
}

/** @param {string} key @returns {Pick} */
function pickOf(key) {
  return key === "blur" ? { effect: key } : { effect: "replace", background: key };
}

customElements.define("vmeet-backgrounds", BackgroundPicker);
