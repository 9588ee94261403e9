import { api } from "../api.js";
import { fill, h, LocalizedElement } from "../dom.js";
import { formatDate, say } from "../i18n.js";
import { icon } from "../icons.js";
import { isUnfinished } from "../live-recordings.js";
import { JobSteps } from "./job-steps.js";
import { attempt } from "./recording-actions.js";

/** @typedef {import("../types.js").Job} Job */
/** @typedef {import("./notices.js").Notices} Notices */

/** Every run of the pipeline over a recording, the newest first. */
export class RecordingJobs extends LocalizedElement {
  /** @param {Notices} [notices] */
  constructor(notices) {
    super();
    this.notices = notices;
    /** @type {Job[]} */
    this.jobs = [];
    /** @type {Map<string, JobView>} */
    this.views = new Map();
  }

  /** @override */
  localize() {
    this.show(this.jobs);
  }

  /** @param {Job[]} jobs */
  show(jobs) {
    this.jobs = [...jobs].sort((a, b) => b.created_at_s - a.created_at_s);
    for (const job of this.jobs) {
      const view = this.views.get(job.id) ?? new JobView(this.notices);
      this.views.set(job.id, view);
      view.show(job);
    }
    const elements = this.jobs.map((job) => this.views.get(job.id)?.element ?? null);
    if (elements.some((element, index) => this.children[index] !== element)) fill(this, ...elements);
  }
}

class JobView {
  /** @param {Notices} [notices] */
  constructor(notices) {
    this.notices = notices;
    this.name = h("strong", {});
    this.date = h("span", { class: "muted small" });
    this.state = h("span", { class: "tag" });
    this.steps = new JobSteps();
    this.cancel = this.button("close", "job.cancel", "cancel-job", api.cancelJob);
    this.retry = this.button("again", "job.retry", "retry-job", api.retryJob);
    const head = h("header", {}, h("div", { class: "grow" }, this.name, this.date), this.state, this.cancel, this.retry);
    this.element = h("article", { class: "job", "data-testid": "job" }, head, this.steps);
  }

  /** @private @param {string} iconName @param {import("../i18n.js").Key} text @param {string} testid
   *  @param {(id: string) => Promise<unknown>} action */
  button(iconName, text, testid, action) {
    const act = () => this.notices && attempt(this.notices, () => action(this.id ?? ""));
    return h("button", { type: "button", class: "small", "data-testid": testid, onclick: act }, icon(iconName), h("span", { t: text }));
  }

  /** @param {Job} job */
  show(job) {
    this.id = job.id;
    this.element.dataset.jobId = job.id;
    this.element.dataset.state = job.state;
    const denoiser = job.request.denoiser;
    say(this.name, denoiser ? "job.with" : "job.without", denoiser ? { name: denoiser } : undefined);
    this.date.textContent = formatDate(job.created_at_s);
    this.state.className = `tag ${job.state === "done" ? "good" : job.state === "failed" ? "danger" : job.state === "running" ? "accent" : ""}`;
    say(this.state, `state.${job.state}`);
    this.cancel.hidden = !isUnfinished(job);
    this.retry.hidden = !["failed", "cancelled"].includes(job.state);
    this.steps.show(job);
  }
}

customElements.define("vmeet-jobs", RecordingJobs);
