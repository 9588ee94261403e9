import { h } from "../dom.js";
import { formatClock, say } from "../i18n.js";

/** "Recording", the time since it began, who started it, and whether it is without this person; hidden while none runs. */
export class RecordingBadge extends HTMLElement {
  constructor() {
    super();
    this.time = h("span", { class: "time" });
    this.by = h("span", { class: "by" });
    this.without = h("span", { class: "without", hidden: true, t: "recording.without-you", "data-testid": "recording-without-you" });
    /** @type {number | undefined} */
    this.timer = undefined;
    this.startedAt = 0;
  }

  connectedCallback() {
    this.dataset.testid = "recording-badge";
    if (this.childElementCount) return;
    this.hidden = true;
    this.append(h("span", { class: "dot" }), h("span", { t: "recording.badge" }), this.time, this.by, this.without);
  }

  disconnectedCallback() {
    clearInterval(this.timer);
  }

  /** Clocks of page and server may differ: a start in the future counts from now. @param {import("../protocol.js").RecordingInfo} recording
   *  @param {boolean} leftOut whether this person is left out of it */
  show(recording, leftOut) {
    clearInterval(this.timer);
    this.hidden = !recording.active;
    if (!recording.active) return;
    this.without.hidden = !leftOut;
    this.showWho(recording.started_by ?? "");
    const now = Date.now() / 1000;
    this.startedAt = Math.min(recording.started_at_s ?? now, now);
    const tick = () => (this.time.textContent = formatClock(Date.now() / 1000 - this.startedAt));
    tick();
    this.timer = setInterval(tick, 1000);
  }

  /** @private @param {string} name */
  showWho(name) {
    this.by.hidden = !name;
    if (!name) return;
    say(this.by, "recording.by", { name });
    say(this, "recording.by", { name }, "tTitle");
  }
}

customElements.define("vmeet-recording-badge", RecordingBadge);
