import { fill, h } from "../dom.js";
import { icon } from "../icons.js";
import { failureOf } from "./effect-news.js";

/** @typedef {import("../i18n.js").Key} Key */
/** @typedef {import("../session.js").Session} Session */
/** @typedef {"idle" | "starting" | "on" | "interrupted" | "failed"} Standing */

/** @type {Partial<Record<Standing, string>>} */
const SIGNS = { on: "check", interrupted: "warning", failed: "warning" };

/** How the effects of the camera or of the microphone stand, as the server says it. `data-standing` says it for tests. */
export class EffectStatus extends HTMLElement {
  /** @param {Session} [session] @param {"camera" | "microphone"} [source] */
  constructor(session, source = "camera") {
    super();
    this.session = session ?? null;
    this.source = source;
    this.written = "";
    this.changed = () => this.show();
  }

  connectedCallback() {
    this.setAttribute("role", "status");
    this.dataset.testid = `effects-status-${this.source}`;
    this.session?.media.addEventListener("change", this.changed);
    for (const type of ["own", "state", "preview-failed"]) this.session?.addEventListener(type, this.changed);
    this.show();
  }

  disconnectedCallback() {
    this.session?.media.removeEventListener("change", this.changed);
    for (const type of ["own", "state", "preview-failed"]) this.session?.removeEventListener(type, this.changed);
  }

  /** Written only when it is another: it is read out. @private */
  show() {
    const { effects } = this.session ?? {};
    if (!this.session || !effects) return;
    const told = effects.standing(this.source);
    const { state, reason, reduced } = told;
    const offers = this.source === "camera" ? effects.offer.filters : effects.offers.filter((each) => each === effects.offer.denoiser);
    const wanted = offers.filter((each) => effects.isOn(each));
    const pending = wanted.some((each) => effects.isChanging(each)); // beside others that are on
    const [standing, key] = standingOf(this.session, this.source, wanted.length > 0, pending && state === "on" ? { ...told, state: "starting" } : told);
    const shown = JSON.stringify([standing, key, reason, reduced]);
    if (shown === this.written) return;
    this.written = shown;
    this.dataset.standing = standing;
    const ailing = standing === "failed" || standing === "interrupted";
    fill(
      this,
      standing === "starting" ? h("span", { class: "spinner", "aria-hidden": "true" }) : SIGNS[standing] && icon(SIGNS[standing]),
      h("div", {}, h("p", { t: key }), ailing && reason ? h("p", { class: "detail" }, reason) : null, reduced ? h("p", { class: "detail", t: "effects.reduced" }) : null),
      standing === "failed" ? h("button", { type: "button", t: "try-again", "data-testid": "effects-again", onclick: () => effects.again() }) : null,
    );
  }
}

/**
 * Never "on" before the server says so.
 * @param {Session} session @param {"camera" | "microphone"} source @param {boolean} wanted whether any is on
 * @param {import("../protocol.js").SourceEffects} told
 * @returns {[Standing, Key]}
 */
function standingOf(session, source, wanted, told) {
  const { state } = told;
  if (state === "failed") return ["failed", failureOf(source, told)];
  if (state === "interrupted") return ["interrupted", "effects.interrupted"];
  if (state === "on") return ["on", source === "microphone" ? "effects.microphone-on" : "effects.camera-on"];
  if (!wanted) return ["idle", "effects.all-off"];
  if (!session.media[source].on) return ["idle", source === "microphone" ? "effects.microphone-waits" : "effects.camera-waits"];
  const known = session.state === "in" || (session.state === "previewing" && source === "camera");
  return known ? ["starting", "effects.starting"] : ["idle", "effects.once-in"];
}

customElements.define("vmeet-effect-status", EffectStatus);
