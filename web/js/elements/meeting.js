import { api, ApiError, explain } from "../api.js";
import { fill, h } from "../dom.js";
import { EffectControl } from "../effect-control.js";
import { isKey, t } from "../i18n.js";
import { LocalMedia } from "../local-media.js";
import { Session } from "../session.js";
import { remembered } from "../storage.js";
import { Call } from "./call.js";
import { Lobby } from "./lobby.js";
import { topBar } from "./top-bar.js";

/** @typedef {import("../types.js").Meeting} Meeting */
/** @typedef {import("../session.js").EndReason} EndReason */

/** The page of a meeting: lobby, then the call, then goodbye. `data-view` says which. */
export class MeetingPage extends HTMLElement {
  constructor() {
    super();
    this.meetingId = decodeURIComponent(location.pathname.split("/")[2] ?? "");
    this.media = new LocalMedia();
    this.name = "";
    this.token = "";
    /** @type {boolean | null} what this person says about being recorded */
    this.recorded = null;
    /** @type {Call | null} */
    this.call = null;
    /** @type {EffectControl | null} where the meeting has effects */
    this.effects = null;
  }

  async connectedCallback() {
    const seat = remembered.seat(this.meetingId);
    if (seat) return this.takeSeat(seat);
    this.show("loading", h("p", { class: "loading", role: "status", t: "loading" }));
    try {
      const meeting = await this.ask();
      this.openLobby(meeting);
    } catch (error) {
      this.openFailure(error);
    }
  }

  /** After a reload: straight back, as the same person and with the same devices. @private
   *  @param {import("../storage.js").Seat} seat */
  async takeSeat(seat) {
    this.token = seat.token;
    this.recorded = seat.recorded ?? null;
    this.media.start(seat);
    await this.ask().catch(() => {}); // the socket says what is wrong; without a word the effects stay as they were
    this.openCall(seat.name, this.newSession());
  }

  /** @private */
  async ask() {
    const meeting = await api.meeting(this.meetingId);
    this.effects = meeting.effects ? new EffectControl(meeting.effects) : null;
    return meeting;
  }

  /** @private */
  newSession() {
    return new Session(this.meetingId, null, this.media, this.effects);
  }

  /** See `Call.stats`. */
  async stats() {
    return this.call?.stats() ?? {};
  }

  /** @private @param {Meeting} meeting */
  openLobby(meeting) {
    document.title = `${meeting.title} · VMeet`;
    const session = this.newSession();
    const lobby = new Lobby(meeting, session, this.name);
    lobby.addEventListener("vmeet-join", (event) => {
      this.recorded = lobby.recording.answer;
      this.openCall(/** @type {CustomEvent} */ (event).detail, session, lobby.recording.told);
    });
    this.show("lobby", topBar({ recordings: false }), h("main", { id: "main" }, lobby));
    if (this.effects?.offer.filters.length) session.start(); // only with them others see another picture than the camera's
  }

  /** @private @param {string} name @param {Session} session @param {boolean} [told] whether this person knows of the recording
   *  that runs; until they do, the server leaves them out */
  openCall(name, session, told = false) {
    this.name = name;
    const identity = { name, token: this.token || null, host_key: remembered.hostKey(this.meetingId), recorded: this.recorded, told };
    const call = (this.call = new Call(this.meetingId, identity, session));
    call.addEventListener("vmeet-ended", (event) => this.ended(/** @type {CustomEvent} */ (event).detail));
    this.show("call", call);
  }

  /** @private @param {EndReason} reason */
  ended(reason) {
    this.token = this.call?.session?.token ?? "";
    this.recorded = this.call?.session?.recorded ?? null;
    this.call = null;
    this.media.stop();
    remembered.setSeat(this.meetingId, null);
    for (const dialog of document.querySelectorAll("dialog[open]")) dialog.remove();
    document.title = `${t("ended.left")} · VMeet`;
    this.openEnd(reason);
  }

  /** @private @param {EndReason} reason */
  openEnd({ code, message }) {
    const key = `ended.${code}`;
    const again = h("button", { type: "button", class: "primary large", t: "ended.again", "data-testid": "rejoin", onclick: () => this.joinAgain() });
    const gone = code === "unknown-meeting";
    const panel = h("div", { class: "card ended", "data-testid": "ended", "data-reason": code });
    panel.append(
      h("h1", { t: isKey(key) ? key : "ended.internal", tabindex: "-1" }),
      message ? h("p", { class: "muted detail" }, message) : "",
      h("div", { class: "row centre" }, gone ? null : again, homeLink()),
    );
    this.show("ended", topBar({ recordings: false }), h("main", { id: "main" }, panel));
    panel.querySelector("h1")?.focus();
  }

  /** With the same devices on as the person last had. @private */
  joinAgain() {
    this.media.start({ camera: this.media.camera.wanted, microphone: this.media.microphone.wanted });
    this.openCall(this.name, this.newSession());
  }

  /** @private @param {unknown} error */
  openFailure(error) {
    const { text, detail } = explain(error);
    const unknown = error instanceof ApiError && error.status === 404;
    const retry = h("button", { type: "button", class: "primary", t: "try-again", onclick: () => this.connectedCallback() });
    const panel = h("div", { class: "card ended", "data-testid": "failure" });
    panel.append(
      unknown ? h("h1", { t: "meeting.unknown" }) : h("h1", {}, text),
      unknown ? h("p", { t: "meeting.unknown-hint" }) : "",
      h("p", { class: "muted detail" }, detail),
      h("div", { class: "row centre" }, unknown ? null : retry, homeLink()),
    );
    this.show("failure", topBar({ recordings: false }), h("main", { id: "main" }, panel));
  }

  /** @private @param {string} view @param {...Node} content */
  show(view, ...content) {
    this.dataset.view = view;
    fill(this, ...content);
  }
}

function homeLink() {
  return h("a", { class: "button", href: "/", t: "home.back" });
}

customElements.define("vmeet-meeting", MeetingPage);
