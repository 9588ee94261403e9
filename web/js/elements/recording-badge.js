import { h } from "../dom.js";
import { formatClock } from "../i18n.js";

/** "Recording", with the time since it began; hidden while nothing is recorded. */
export class RecordingBadge extends HTMLElement {
  constructor() {
    super();
    this.time = h("span", { class: "time" });
    /** @type {number | undefined} */
    this.timer = undefined;
    this.startedAt = 0;
  }

  connectedCallback() {
    this.dataset.testid = "recording-badge";
    if (this.childElementCount) return;
    this.hidden = true;
    this.append(h("span", { class: "dot" }), h("span", { t: "recording.badge" }), this.time);
  }

  disconnectedCallback() {
    clearInterval(this.timer);
  }

  /** Clocks of page and server may differ: a start in the future counts from now. @param {import("../protocol.js").RecordingInfo} recording */
  show(recording) {
    clearInterval(this.timer);
    this.hidden = !recording.active;
    if (!recording.active) return;
    const now = Date.now() / 1000;
    this.startedAt = Math.min(recording.started_at_s ?? now, now);
    const tick = () => (this.time.textContent = formatClock(Date.now() / 1000 - this.startedAt));
    tick();
    this.timer = setInterval(tick, 1000);
  }
}

customElements.define("vmeet-recording-badge", RecordingBadge);
