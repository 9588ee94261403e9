import { fill, h } from "../dom.js";
import { icon } from "../icons.js";
import { hueOf, initialOf, isOn } from "./tile.js";

/** @typedef {import("../protocol.js").ParticipantInfo} ParticipantInfo */

/** Who is here. Events: `vmeet-action` with "people" (close) or "copy-link". */
export class PeoplePanel extends HTMLElement {
  constructor() {
    super();
    this.list = h("ul", { "data-testid": "people-list" });
  }

  connectedCallback() {
    if (this.childElementCount) return;
    this.setAttribute("role", "complementary");
    const ask = (/** @type {string} */ action) => () => this.dispatchEvent(new CustomEvent("vmeet-action", { detail: action }));
    const close = h("button", { type: "button", class: "icon-button", tLabel: "close", onclick: ask("people") }, icon("close"));
    const copy = h("button", { type: "button", onclick: ask("copy-link") }, icon("link"), h("span", { t: "people.invite" }));
    this.append(h("header", {}, h("h2", { t: "people.title" }), close), this.list, h("footer", {}, copy));
  }

  /** @param {Iterable<ParticipantInfo>} people @param {string} me */
  show(people, me) {
    fill(this.list, ...Array.from(people, (person) => row(person, person.id === me)));
  }
}

/** @param {ParticipantInfo} person @param {boolean} own */
function row(person, own) {
  const avatar = h("span", { class: "avatar small", "aria-hidden": "true" }, initialOf(person.name));
  avatar.style.setProperty("--hue", String(hueOf(person.id)));
  return h(
    "li",
    {},
    avatar,
    h("span", { class: "name" }, person.name),
    own ? h("span", { class: "tag", t: "people.you" }) : null,
    person.is_host ? h("span", { class: "tag", t: "people.host" }) : null,
    sign(person, "microphone"),
    sign(person, "camera"),
  );
}

/** @param {ParticipantInfo} person @param {"microphone" | "camera"} source */
function sign(person, source) {
  const on = isOn(person, source);
  const label = on ? `people.${source}-on` : `people.${source}-off`;
  return h("span", { class: on ? "sign" : "sign off", role: "img", tLabel: label }, icon(on ? source : `${source}-off`));
}

customElements.define("vmeet-people", PeoplePanel);
