import { api } from "../api.js";
import { fill, h, LocalizedElement } from "../dom.js";
import { formatPercent, say } from "../i18n.js";
import { icon } from "../icons.js";
import { wishLike } from "../job-wish.js";
import { isUnfinished, jobProgress } from "../live-recordings.js";
import { attempt } from "./recording-actions.js";

/** @typedef {import("../types.js").Job} Job */
/** @typedef {import("./notices.js").Notices} Notices */

/** Asks for a file of each person's picture and sound, and tells how far they are. They then are among the files. */
export class PersonFiles extends LocalizedElement {
  /** @param {string} recordingId @param {Notices} [notices] */
  constructor(recordingId = "", notices) {
    super();
    this.recordingId = recordingId;
    this.notices = notices;
    /** @type {Job[] | undefined} */
    this.jobs = undefined;
    this.ask = h("button", { type: "button", class: "small", "data-testid": "person-files", onclick: () => this.request() }, icon("people"), h("span", { t: "recording.person-files" }));
    this.hint = h("p", { class: "muted small", t: "recording.person-files-hint" });
    this.label = h("span", { class: "small" });
    this.bar = h("progress", { max: 1, tLabel: "recording.person-files-running" });
    this.status = h("div", { class: "person-progress", role: "status", hidden: true, "data-testid": "person-progress" }, this.label, this.bar);
  }

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    if (!this.childElementCount) fill(this, this.ask, this.hint, this.status);
  }

  /** @override */
  localize() {
    if (this.jobs) this.show(this.jobs);
  }

  /** @param {Job[]} jobs that differ by the files they were asked for alone, the newest first */
  show(jobs) {
    this.jobs = jobs;
    const asked = jobs.find((job) => job.request.files === "per-person");
    const running = Boolean(asked && isUnfinished(asked));
    this.hidden = asked?.state === "done" || !(running || jobs.some((job) => job.state === "done"));
    this.ask.hidden = this.hint.hidden = running;
    this.status.hidden = !running;
    if (!asked || !running) return;
    const progress = jobProgress(asked);
    this.bar.value = progress;
    say(this.label, "recording.person-files-progress", { percent: formatPercent(progress) });
  }

  /** @private */
  async request() {
    const request = this.jobs?.[0]?.request;
    if (!request || !this.notices) return;
    this.ask.disabled = true;
    const name = this.jobs?.find((job) => job.name)?.name;
    const wish = { ...wishLike(request), files: /** @type {const} */ ("per-person"), ...(name ? { name } : {}) };
    await attempt(this.notices, () => api.processAgain(this.recordingId, wish));
    this.ask.disabled = false;
  }
}

customElements.define("vmeet-person-files", PersonFiles);
