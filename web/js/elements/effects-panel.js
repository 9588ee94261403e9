import { fill, h, LocalizedElement } from "../dom.js";
import { EffectCard } from "./effect-card.js";
import { EffectStatus } from "./effect-status.js";

/** @typedef {import("../effect-control.js").EffectControl} EffectControl */
/** @typedef {import("../session.js").Session} Session */

/** The live effects of a meeting, as far as this person may change them for themselves, and how they stand. */
export class EffectsPanel extends LocalizedElement {
  /** @param {EffectControl} [effects] @param {Session} [session] */
  constructor(effects, session) {
    super();
    this.effects = effects ?? null;
    this.session = session ?? null;
  }

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    this.dataset.testid = "effects-panel";
    if (!this.childElementCount) this.build();
  }

  /** Titles of options do not follow the language by themselves. @override */
  localize() {
    this.build();
  }

  /** @private */
  build() {
    const { effects, session } = this;
    if (!effects || !session) return;
    const { filters, denoiser } = effects.offer;
    const cards = (/** @type {import("../types.js").EffectOffer[]} */ offers) => offers.map((offer) => new EffectCard(effects, offer, session.meetingId));
    fill(
      this,
      effects.mayChange ? null : h("p", { class: "callout", t: "effects.meeting-decides" }),
      filters.length ? part("camera", new EffectStatus(session, "camera"), cards(filters)) : null,
      denoiser ? part("microphone", new EffectStatus(session, "microphone"), cards([denoiser])) : null,
    );
  }
}

/** @param {"camera" | "microphone"} source @param {EffectStatus} status @param {EffectCard[]} cards */
function part(source, status, cards) {
  return h("section", { class: "effects-part", "data-source": source }, h("h3", { t: `devices.${source}` }), status, ...cards);
}

customElements.define("vmeet-effects", EffectsPanel);
