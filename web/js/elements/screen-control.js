import { t } from "../i18n.js";
import { canShareScreen } from "../screen-share.js";
import { isSending } from "./person-row.js";

/** @typedef {import("../session.js").Session} Session */

const REFUSED_S = 10;

/** Shares the own screen, and tells of the screens of others. */
export class ScreenControl {
  /** @param {Session} session @param {import("./toolbar.js").Toolbar} toolbar @param {import("./notices.js").Notices} notices */
  constructor(session, toolbar, notices) {
    this.session = session;
    this.toolbar = toolbar;
    this.notices = notices;
    /** @type {Set<string>} who shares */
    this.sharing = new Set();
    this.explained = false; // the session has told already why the screen is not shared
    session.addEventListener("trouble", (event) => (this.explained ||= /** @type {CustomEvent} */ (event).detail.code === "screen"));
    session.addEventListener("welcome", () => (this.sharing = sharers(session))); // these are seen anyway
    session.addEventListener("people", () => this.tell());
    session.addEventListener("screen", () => this.ownChanged());
  }

  /** To be called straight from a click. A refusal of the person and one of the system look alike from here. */
  async toggle() {
    if (this.session.screenOn) return this.session.stopScreen();
    if (!canShareScreen()) return this.notices.show(t("screen.missing"), { tone: "warning", key: "screen" });
    this.notices.clear("screen");
    this.explained = false;
    await this.session.shareScreen();
    if (this.session.screenOn || this.session.state === "ended" || this.explained) return undefined;
    return this.notices.show(t("screen.refused"), { tone: "warning", key: "screen", seconds: REFUSED_S });
  }

  /** @private */
  tell() {
    const before = this.sharing;
    this.sharing = sharers(this.session);
    for (const [id, { name }] of this.session.people) {
      const started = this.sharing.has(id);
      if (id === this.session.me || started === before.has(id)) continue;
      this.notices.show(t(started ? "screen.shared" : "screen.ended", { name }), { sign: "screen", key: `screen ${id}` });
    }
  }

  /** @private */
  ownChanged() {
    const on = this.session.screenOn;
    this.toolbar.setScreen(on);
    if (this.session.state === "ended") return;
    this.notices.show(t(on ? "screen.own" : "screen.own-ended"), { sign: "screen", key: "screen" });
  }
}

/** @param {Session} session */
function sharers(session) {
  return new Set([...session.people.values()].filter((person) => isSending(person, "screen")).map((person) => person.id));
}
