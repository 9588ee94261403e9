/** What this person wants of the live effects of a meeting, what the server made of it, and what is remembered. No DOM. */

import { takes } from "./schema.js";
import { remembered } from "./storage.js";

/** @typedef {import("./protocol.js").Effect} Effect */
/** @typedef {import("./protocol.js").EffectWishes} EffectWishes */
/** @typedef {import("./protocol.js").EffectsChanged} EffectsChanged */
/** @typedef {import("./protocol.js").SourceEffects} SourceEffects */
/** @typedef {import("./types.js").EffectOffer} EffectOffer */
/** @typedef {import("./types.js").MeetingEffects} MeetingEffects */
/** @typedef {import("./storage.js").RememberedEffect} RememberedEffect */
/** @typedef {import("./storage.js").RememberedEffects} RememberedEffects */

const PERIOD_MS = 120; // while a slider moves; the last position is always sent
/** @type {SourceEffects} */
export const OFF = { state: "off", reason: null, hides: false, reduced: false, no_room: false };

/**
 * Events (CustomEvent):
 * - `wishes`: nothing; this person wants something else now
 * - `told`: EffectsChanged; what is in force has changed
 * - `refused`: the server's words; what it did not take is forgotten
 */
export class EffectControl extends EventTarget {
  /** @param {MeetingEffects} offer */
  constructor(offer) {
    super();
    this.offer = offer;
    /** @type {EffectOffer[]} */
    this.offers = [...offer.filters, ...(offer.denoiser ? [offer.denoiser] : [])];
    /** @type {(wishes: EffectWishes) => boolean} set by the session that is open: whether it could be handed over */
    this.send = () => false;
    /** @type {EffectsChanged | null} */
    this.state = null;
    /** @type {EffectOffer[]} of which something that was remembered is not offered any more */
    this.outdated = [];
    this.wished = this.recalled();
    if (this.outdated.length) this.keep();
    /** @type {number | undefined} */
    this.timer = undefined;
    this.sentAt = -Infinity;
    this.unsent = false;
  }

  /** Whether effects may be turned off and on. */
  get mayTurn() {
    return this.offer.people_may_change === "everything";
  }

  /** Whether their options may be changed. */
  get mayChange() {
    return this.offer.people_may_change !== "nothing";
  }

  /** @param {EffectOffer} offer */
  isOn(offer) {
    return !this.mayTurn || (this.wished.get(offer)?.on ?? true);
  }

  /** @param {EffectOffer} offer @returns {Record<string, unknown>} */
  optionsOf(offer) {
    return { ...offer.options, ...(this.mayChange ? this.wished.get(offer)?.options : {}) };
  }

  /** Whether anything of it is not as the meeting has it. @param {EffectOffer} offer */
  isChanged(offer) {
    return this.mayChange && this.wished.has(offer);
  }

  /** Whether the server has not said yet that it is turned as this person wants it. @param {EffectOffer} offer */
  isChanging(offer) {
    const inForce = this.inForce(offer);
    return inForce !== undefined && inForce.on !== this.isOn(offer);
  }

  /** @param {"camera" | "microphone"} source @returns {SourceEffects} */
  standing(source) {
    return this.state?.[source] ?? OFF;
  }

  /** Whether the room may not be seen: by this person's wish, or while the server still hides it. */
  get secret() {
    const { state, hides } = this.standing("camera");
    const secret = this.offer.filters.filter((each) => each.protects_privacy);
    return (hides && state !== "on") || secret.some((each) => this.isOn(each) || this.inForce(each)?.on);
  }

  /** Some options, or whether it is on; the rest stays. @param {EffectOffer} offer
   *  @param {{on?: boolean, options?: Record<string, unknown>}} change */
  set(offer, { on, options }) {
    const before = this.wished.get(offer) ?? {};
    const merged = { ...before.options, ...options };
    this.wished.set(offer, {
      ...before,
      ...(on === undefined ? {} : { on }),
      ...(Object.keys(merged).length ? { options: merged } : {}),
    });
    this.wishesChanged();
  }

  /** As the meeting has it. @param {EffectOffer} offer */
  reset(offer) {
    if (this.wished.delete(offer)) this.wishesChanged();
  }

  /** Asks for the same once more: what has failed begins anew. */
  again() {
    this.tell();
  }

  /** For a hello to the server: null where nothing can be wished for. @returns {EffectWishes | null} */
  wishes() {
    if (!this.mayChange || !this.offers.length) return null;
    const { denoiser } = this.offer;
    const filters = this.offer.filters.filter((each) => this.wished.has(each)).map((each) => this.wishOf(each));
    return { filters, denoiser: denoiser && this.wished.has(denoiser) ? this.wishOf(denoiser) : null };
  }

  /** @param {EffectsChanged} message */
  told(message) {
    this.state = message;
    this.emit("told", message);
  }

  /** The stay with the server is over: nothing is known any more. */
  forget() {
    this.state = null;
    this.send = () => false;
    clearTimeout(this.timer);
    this.timer = undefined;
    this.unsent = false;
  }

  /** The server kept what it had, and so does this person. @param {string} message */
  refused(message) {
    for (const offer of [...this.wished.keys()]) {
      const wish = this.asInForce(offer);
      if (wish) this.wished.set(offer, wish);
      else this.wished.delete(offer);
    }
    this.unsent = false;
    this.keep();
    this.emit("wishes");
    this.emit("refused", message);
  }

  /** What the server has that the meeting has not; null where that is nothing. @private @param {EffectOffer} offer
   *  @returns {RememberedEffect | null} */
  asInForce(offer) {
    const { on = true, options = offer.options } = this.inForce(offer) ?? {};
    const own = Object.entries(options).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(offer.options[name]));
    if (on && !own.length) return null;
    return { ...(on ? {} : { on }), ...(own.length ? { options: Object.fromEntries(own) } : {}) };
  }

  /** @private @param {EffectOffer} offer @returns {Effect} */
  wishOf(offer) {
    return { name: offer.name, on: this.isOn(offer), options: this.wished.get(offer)?.options ?? {} };
  }

  /** @private @param {EffectOffer} offer @returns {Effect | undefined} */
  inForce(offer) {
    if (offer === this.offer.denoiser) return this.state?.denoiser ?? undefined;
    return this.state?.filters.find((each) => each.name === offer.name);
  }

  /** @private */
  wishesChanged() {
    this.keep();
    this.emit("wishes");
    if (this.timer !== undefined) this.unsent = true;
    else this.tell();
  }

  /** At once, then not more often than the period. @private */
  tell() {
    this.unsent = false;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.timer = undefined;
      if (this.unsent) this.tell();
    }, PERIOD_MS);
    this.send(this.wishes() ?? { filters: [], denoiser: null });
  }

  /** What this browser remembers, as far as this meeting offers it. @private @returns {Map<EffectOffer, RememberedEffect>} */
  recalled() {
    const all = remembered.effects();
    /** @type {Map<EffectOffer, RememberedEffect>} */
    const wished = new Map();
    for (const offer of this.offers) {
      const effect = all[this.shelf(offer)][offer.name];
      if (!effect) continue;
      const valid = Object.entries(effect.options ?? {}).filter(([name, value]) => takes(offer.options_schema, name, value));
      const options = valid.length ? { options: Object.fromEntries(valid) } : {};
      if (valid.length < Object.keys(effect.options ?? {}).length) this.outdated.push(offer);
      if (effect.on !== undefined || valid.length) wished.set(offer, { ...(effect.on === undefined ? {} : { on: effect.on }), ...options });
    }
    return wished;
  }

  /** @private */
  keep() {
    const all = remembered.effects();
    for (const offer of this.offers) {
      const wish = this.wished.get(offer);
      const shelf = all[this.shelf(offer)];
      delete shelf[offer.name];
      if (wish) shelf[offer.name] = { ...wish, ...(offer.protects_privacy ? { title: offer.title } : {}) };
    }
    remembered.setEffects(all);
  }

  /** @private @param {EffectOffer} offer @returns {keyof RememberedEffects} */
  shelf(offer) {
    return offer === this.offer.denoiser ? "denoisers" : "filters";
  }

  /** @private @param {string} type @param {unknown} [detail] */
  emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/**
 * What this person had on elsewhere to hide the room, and does not find in this meeting.
 * @param {MeetingEffects | null} offer
 */
export function missingProtection(offer) {
  if (offer?.filters.some((each) => each.protects_privacy)) return [];
  const known = Object.entries(remembered.effects().filters);
  return known.filter(([, { on, title }]) => title && on !== false).map(([name, { title = name }]) => ({ name, title }));
}
