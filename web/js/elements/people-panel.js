import { h } from "../dom.js";
import { icon } from "../icons.js";
import { PersonRow } from "./person-row.js";

/** @typedef {import("../protocol.js").ParticipantInfo} ParticipantInfo */
/** @typedef {import("../quality.js").Quality} Quality */

/** Who is here. Events: `vmeet-action` with "people" (close) or "copy-link"; `vmeet-consent` (detail: ConsentWish). */
export class PeoplePanel extends HTMLElement {
  constructor() {
    super();
    /** @type {Map<string, PersonRow>} */
    this.rows = new Map();
    this.list = h("ul", { "data-testid": "people-list" });
  }

  connectedCallback() {
    if (this.childElementCount) return;
    this.setAttribute("role", "complementary");
    this.classList.add("side-panel");
    const ask = (/** @type {string} */ action) => () => this.dispatchEvent(new CustomEvent("vmeet-action", { detail: action }));
    const close = h("button", { type: "button", class: "icon-button", tLabel: "close", onclick: ask("people") }, icon("close"));
    const copy = h("button", { type: "button", onclick: ask("copy-link") }, icon("link"), h("span", { t: "people.invite" }));
    this.append(h("header", {}, h("h2", { t: "people.title" }), close), this.list, h("footer", {}, copy));
  }

  /** @param {Iterable<ParticipantInfo>} people @param {string} me @param {import("../consent.js").RecordingRights} rights */
  show(people, me, rights) {
    const gone = new Set(this.rows.keys());
    for (const person of people) {
      gone.delete(person.id);
      const row = this.rowOf(person, person.id === me);
      row.update(person);
      row.showConsent(rights);
    }
    for (const id of gone) this.drop(id);
  }

  /** @param {string | null} id of who speaks */
  setSpeaker(id) {
    for (const [each, row] of this.rows) row.setSpeaking(each === id);
  }

  /** @param {Map<string, Quality>} qualities */
  setQualities(qualities) {
    for (const [id, row] of this.rows) row.setQuality(qualities.get(id) ?? 0);
  }

  /** @private @param {ParticipantInfo} person @param {boolean} own */
  rowOf(person, own) {
    const existing = this.rows.get(person.id);
    if (existing && existing.own === own) return existing;
    this.drop(person.id); // the same id as another person: only after a rejoin that the server took for a new one
    const row = new PersonRow(person, own);
    this.rows.set(person.id, row);
    this.list.append(row.element);
    return row;
  }

  /** @private @param {string} id */
  drop(id) {
    this.rows.get(id)?.element.remove();
    this.rows.delete(id);
  }
}

customElements.define("vmeet-people", PeoplePanel);
