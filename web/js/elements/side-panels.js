import { t } from "../i18n.js";
import { ChatPanel } from "./chat-panel.js";
import { EffectsSide } from "./effects-side.js";
import { PeoplePanel } from "./people-panel.js";
import { SaidPanel } from "./said-panel.js";

/** @typedef {import("../protocol.js").ChatEntry} ChatEntry */
/** @typedef {import("../session.js").Session} Session */
/** @typedef {"people" | "chat" | "effects" | "said"} PanelName */

const NAMES = /** @type {const} */ (["people", "chat", "effects", "said"]);
const CHAT_NOTICE_S = 8;
const CHAT_NOTICE_CHARS = 140;
/** @type {readonly string[]} errors that may be the answer to a message of this person's */
const CHAT_TROUBLES = ["bad-message", "too-large", "too-fast", "internal"];

/** The panels beside the pictures, one at a time, and the news of a chat that is not open. */
export class SidePanels {
  /** @param {import("./toolbar.js").Toolbar} toolbar @param {import("./notices.js").Notices} notices
   *  @param {Session} [session] of whose effects one panel is */
  constructor(toolbar, notices, session) {
    this.toolbar = toolbar;
    this.notices = notices;
    this.people = new PeoplePanel();
    this.chat = new ChatPanel();
    this.effects = new EffectsSide(session);
    this.said = new SaidPanel();
    this.people.hidden = this.chat.hidden = this.effects.hidden = this.said.hidden = true;
    this.chat.addEventListener("vmeet-unread", (event) => toolbar.setUnread(/** @type {CustomEvent} */ (event).detail));
  }

  /** @param {Session} session */
  follow(session) {
    this.chat.addEventListener("vmeet-send", (event) => {
      if (!session.sendChat(/** @type {CustomEvent} */ (event).detail)) event.preventDefault();
    });
    session.addEventListener("welcome", () => {
      for (const entry of this.chat.welcome(session.chatHistory, session.me)) this.tell(entry);
    });
    session.addEventListener("chat", (event) => {
      const entry = /** @type {CustomEvent} */ (event).detail;
      if (this.chat.receive(entry)) this.tell(entry);
    });
    session.addEventListener("trouble", (event) => {
      if (CHAT_TROUBLES.includes(/** @type {CustomEvent} */ (event).detail.code)) this.chat.returnPending();
    });
  }

  /** @param {PanelName} name */
  toggle(name) {
    this.open(this[name].hidden ? name : null);
  }

  /** What is closed gives the focus back to its button. @param {PanelName | null} name */
  open(name) {
    for (const each of NAMES) {
      if (each !== name && this[each].contains(document.activeElement)) this.toolbar.focusOn(each);
    }
    this.people.hidden = name !== "people";
    this.effects.setOpen(name === "effects");
    this.chat.setOpen(name === "chat");
    this.said.setOpen(name === "said");
    this.toolbar.setPanel(name);
    if (name === "chat") this.notices.clear("chat");
    if (name === "said") this.notices.clear("captions-told");
  }

  /** @private @param {ChatEntry} entry */
  tell(entry) {
    if (!this.chat.hidden || entry.participant_id === this.chat.me) return;
    const letters = Array.from(entry.text);
    const detail = letters.length > CHAT_NOTICE_CHARS ? `${letters.slice(0, CHAT_NOTICE_CHARS).join("")}…` : entry.text;
    const action = { text: /** @type {const} */ ("chat.open"), run: () => this.open("chat") };
    this.notices.show(t("chat.from", { name: entry.name }), { sign: "chat", detail, seconds: CHAT_NOTICE_S, key: "chat", action });
  }
}
