import { api } from "../api.js";
import { fill, h, uniqueId } from "../dom.js";
import { icon } from "../icons.js";

/** @typedef {import("../types.js").Meeting} Meeting */

const ASK_AGAIN_S = 4;

/** Before the meeting: whether it is being recorded, or may be, and by whom; and whether one wants to be, where one may choose. */
export class LobbyRecording extends HTMLElement {
  /** @param {Meeting} [meeting] */
  constructor(meeting) {
    super();
    this.meeting = meeting;
    this.choice = meeting?.recording_choice ?? "everyone";
    this.told = false; // whether it has said that a recording runs
    this.said = "";
    this.notice = h("div", { role: "status", id: uniqueId("recording-notice") });
    this.yes = h("input", { type: "radio", name: "recorded", value: "yes", checked: this.choice === "opt-out", "data-testid": "consent-yes" });
    this.no = h("input", { type: "radio", name: "recorded", value: "no", "data-testid": "consent-no" });
    /** @type {number | undefined} */
    this.timer = undefined;
  }

  connectedCallback() {
    if (!this.meeting) return;
    if (!this.childElementCount) this.append(this.notice, ...(this.choice === "everyone" ? [] : [this.question()]));
    this.show(this.meeting);
    this.timer = setInterval(() => this.ask(), ASK_AGAIN_S * 1000);
  }

  disconnectedCallback() {
    clearInterval(this.timer);
  }

  /** What the person says; null where there is nothing to choose, or they have not said anything. */
  get answer() {
    if (this.choice === "everyone") return null;
    return this.yes.checked ? true : this.no.checked ? false : null;
  }

  /** A recording may begin or end while somebody is here. @private */
  async ask() {
    const meeting = this.meeting && (await api.meeting(this.meeting.id).catch(() => null));
    if (meeting && this.isConnected) this.show(meeting);
  }

  /** What has not changed is not read out again. @private @param {Meeting} meeting */
  show(meeting) {
    const name = meeting.recording_started_by ?? "";
    const said = JSON.stringify([meeting.recording, name]);
    this.told = Boolean(meeting.recording);
    if (said === this.said) return;
    this.said = said;
    const text = meeting.recording
      ? h("span", { t: name ? "lobby.recording-by" : "lobby.recording", tParams: { name } })
      : h("span", { t: "lobby.may-record" });
    const tone = meeting.recording ? "callout danger" : "muted small";
    fill(this.notice, h("p", { class: tone, "data-testid": meeting.recording ? "lobby-recording" : "lobby-may-record" }, meeting.recording ? icon("record") : null, text));
  }

  /** @private */
  question() {
    const hint = h("p", { class: "hint", id: uniqueId("hint"), t: `consent.hint-${this.choice}` });
    return h(
      "fieldset",
      { class: "consent", "aria-describedby": hint.id, "data-testid": "consent" },
      h("legend", { t: "consent.question" }),
      h("label", {}, this.yes, h("span", { t: "consent.yes" })),
      h("label", {}, this.no, h("span", { t: "consent.no" })),
      hint,
    );
  }
}

customElements.define("vmeet-lobby-recording", LobbyRecording);
