import { OFF } from "../effect-control.js";
import { t } from "../i18n.js";
import { isAiling } from "./person-row.js";

/** @typedef {import("../effect-control.js").EffectControl} EffectControl */
/** @typedef {import("../i18n.js").Key} Key */
/** @typedef {import("../protocol.js").ParticipantInfo} ParticipantInfo */
/** @typedef {import("../protocol.js").SourceEffects} SourceEffects */

const FAILED_S = 60; // there is something to do about it
const REDUCED_S = 12;

/** Tells a person in the meeting when an effect of theirs does not work as they wish. */
export class EffectNews {
  /** @param {EffectControl} effects @param {import("./toolbar.js").Toolbar} toolbar @param {import("./notices.js").Notices} notices
   *  @param {HTMLElement} panel which says the same while it is open */
  constructor(effects, toolbar, notices, panel) {
    this.effects = effects;
    this.toolbar = toolbar;
    this.notices = notices;
    this.panel = panel;
    this.camera = OFF;
    this.microphone = OFF;
    this.onTold = () => this.tell();
    effects.addEventListener("told", this.onTold);
    if (effects.state) this.tell();
  }

  close() {
    this.effects.removeEventListener("told", this.onTold);
  }

  /** @private */
  tell() {
    const [camera, microphone] = [this.effects.standing("camera"), this.effects.standing("microphone")];
    this.tellFailure("camera", this.camera, camera);
    this.tellFailure("microphone", this.microphone, microphone);
    if (camera.reduced && !this.camera.reduced && this.panel.hidden) {
      this.notices.show(t("effects.reduced"), { detail: camera.reason ?? "", seconds: REDUCED_S, key: "effects-reduced" });
    }
    [this.camera, this.microphone] = [camera, microphone];
    this.toolbar.setEffectTrouble(camera.state === "failed" || microphone.state === "failed");
  }

  /** @private @param {"camera" | "microphone"} source @param {SourceEffects} before @param {SourceEffects} now */
  tellFailure(source, before, now) {
    const key = `effects-${source}`;
    if (now.state !== "failed") return this.notices.clear(key);
    if (!this.panel.hidden || (before.state === "failed" && before.reason === now.reason)) return undefined;
    const action = { text: /** @type {const} */ ("try-again"), run: () => this.effects.again() };
    return this.notices.show(t(failureOf(source, now)), { tone: "danger", detail: now.reason ?? "", seconds: FAILED_S, key, action });
  }
}

/** What has failed and what the others get instead, as far as the server says so in more than words.
 *  @param {"camera" | "microphone"} source @param {SourceEffects} standing @returns {Key} */
export function failureOf(source, { hides, no_room }) {
  const why = no_room ? "no-room" : "failed";
  if (source === "microphone") return `effects.microphone-${why}`;
  return hides ? `effects.camera-${why}` : `effects.camera-${why}-open`;
}

/** What a tile says of somebody else's filters; only one that protects privacy puts a card in place of the picture.
 *  @param {ParticipantInfo} person @param {EffectControl | null} effects @returns {Key | null} */
export function noteOf(person, effects) {
  if (!isAiling(person)) return null;
  const hidden = !effects || effects.offer.filters.some((each) => each.protects_privacy);
  if (person.camera_effects === "interrupted") return "tile.effects-interrupted";
  return hidden ? "tile.effects-failed" : "tile.effects-failed-open";
}

/** What the own tile says of one's own. @param {EffectControl | null} effects @returns {Key | null} */
export function ownNoteOf(effects) {
  const { state, hides } = effects?.standing("camera") ?? OFF;
  if (state === "failed") return hides ? "tile.own-failed" : "tile.own-failed-open";
  if (state === "interrupted") return "tile.own-interrupted";
  return effects?.secret && state !== "on" ? "tile.own-starting" : null;
}
