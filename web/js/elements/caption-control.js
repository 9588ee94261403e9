import { t } from "../i18n.js";
import { remembered } from "../storage.js";

/** @typedef {import("../protocol.js").CaptionEntry} CaptionEntry */
/** @typedef {import("../protocol.js").CaptionsInfo} CaptionsInfo */
/** @typedef {import("../session.js").Session} Session */

const TOLD_S = 10;
const TROUBLE_S = 12;

/** Joins the captions of a meeting to what shows them; tells this person of them, and the server what they speak. */
export class CaptionControl {
  /**
   * @param {Session} session
   * @param {{overlay: import("./caption-overlay.js").CaptionOverlay, badge: import("./captions-badge.js").CaptionsBadge,
   *   panel: import("./said-panel.js").SaidPanel, toolbar: import("./toolbar.js").Toolbar,
   *   notices: import("./notices.js").Notices, open: () => void}} places `open` opens the panel
   */
  constructor(session, places) {
    this.session = session;
    this.places = places;
    this.shown = remembered.captionsShown();
    this.language = remembered.spokenLanguage();
    this.told = false;
    this.state = "on";
    session.addEventListener("welcome", () => this.welcomed());
    session.addEventListener("captions", () => this.changed());
    session.addEventListener("caption", (event) => this.add(/** @type {CustomEvent} */ (event).detail));
    places.panel.addEventListener("vmeet-spoken", (event) => this.speak(/** @type {CustomEvent} */ (event).detail));
  }

  toggle() {
    if (!this.session.captions) return;
    this.shown = !this.shown;
    remembered.setCaptionsShown(this.shown);
    this.show();
  }

  /** @private */
  welcomed() {
    const { captions, said } = this.session;
    for (const entry of said) this.places.panel.add(entry);
    if (captions) this.tellServer(captions);
    this.tell();
    this.changed();
  }

  /** Once: that what one says is written down. @private */
  tell() {
    const { captions } = this.session;
    if (!captions || this.told) return;
    this.told = true;
    const text = t(captions.leaves_host ? "captions.told-away" : "captions.told", { title: captions.title });
    const action = { text: /** @type {const} */ ("captions.open"), run: this.places.open };
    this.places.notices.show(text, { sign: "captions", seconds: TOLD_S, key: "captions-told", action });
  }

  /** @private */
  changed() {
    const { captions } = this.session;
    const state = captions?.state ?? "on";
    if (state !== this.state) this.tellState(state, captions?.reason ?? "");
    this.state = state;
    this.places.panel.language.show(captions, this.language);
    this.show();
  }

  /** @private @param {CaptionsInfo["state"]} state @param {string} reason */
  tellState(state, reason) {
    const { notices } = this.places;
    if (state === "failed") notices.show(t("captions.failed"), { tone: "warning", detail: reason, seconds: TROUBLE_S, key: "captions" });
    else if (state === "behind") notices.show(t("captions.behind"), { tone: "warning", seconds: TROUBLE_S, key: "captions" });
    else notices.clear("captions");
  }

  /** @private @param {CaptionEntry} entry */
  add(entry) {
    this.places.panel.add(entry);
    if (this.shown) this.places.overlay.add(entry);
  }

  /** @private */
  show() {
    const { captions } = this.session;
    this.places.badge.show(captions);
    this.places.toolbar.setCaptions(captions !== null, this.shown);
    this.places.overlay.setShown(captions !== null && this.shown);
  }

  /** @private @param {string | null} language */
  speak(language) {
    this.language = language;
    remembered.setSpokenLanguage(language);
    this.session.speak(language);
  }

  /** What one has chosen elsewhere holds here, if it is known here. @private @param {CaptionsInfo} captions */
  tellServer({ languages }) {
    const { language } = this;
    if (language && (language === "auto" || languages.includes(language))) this.session.speak(language);
  }
}
