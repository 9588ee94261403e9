import { api } from "../api.js";
import { fill, h, LocalizedElement } from "../dom.js";
import { formatDate, say } from "../i18n.js";
import { icon } from "../icons.js";
import { jobName } from "../job-name.js";
import { isUnfinished, isWaiting } from "../live-recordings.js";
import { costText } from "./job-cost.js";
import { JobSteps } from "./job-steps.js";
import { attempt, renameJob } from "./recording-actions.js";

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
      view.show(job, this.jobs);
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
    this.front = this.button("pin", "job.front", "front-job", api.moveJobToFront);
    this.rename = h("button", { type: "button", class: "quiet small", "data-testid": "rename-job", onclick: () => this.askName() }, h("span", { t: "job.rename" }));
    this.first = h("span", { class: "tag accent", t: "job.first", hidden: true });
    this.cost = h("span", { class: "muted small", "data-testid": "job-cost" });
    this.missing = h("p", { class: "callout warning", hidden: true, "data-testid": "missing" });
    const head = h("header", {}, h("div", { class: "grow" }, this.name, this.date, this.cost), this.first, this.state, this.rename, this.front, this.cancel, this.retry);
    this.element = h("article", { class: "job", "data-testid": "job" }, head, this.missing, this.steps);
  }

  /** @private @param {string} iconName @param {import("../i18n.js").Key} text @param {string} testid
   *  @param {(id: string) => Promise<unknown>} action */
  button(iconName, text, testid, action) {
    const act = () => this.notices && attempt(this.notices, () => action(this.id ?? ""));
    return h("button", { type: "button", class: "small", "data-testid": testid, onclick: act }, icon(iconName), h("span", { t: text }));
  }

  /** @private */
  askName() {
    if (this.job && this.notices) renameJob(this.job, this.notices);
  }

  /** @param {Job} job @param {readonly Job[]} jobs all of the recording */
  show(job, jobs) {
    this.job = job;
    this.id = job.id;
    this.element.dataset.jobId = job.id;
    this.element.dataset.state = job.state;
    this.name.textContent = jobName(job, jobs);
    this.date.textContent = formatDate(job.created_at_s);
    this.state.className = `tag ${job.state === "done" ? "good" : job.state === "failed" ? "danger" : job.state === "running" ? "accent" : ""}`;
    const isAhead = job.priority === "ahead" && isUnfinished(job);
    say(this.state, isAhead ? "job.ahead" : `state.${job.state}`);
    this.cancel.hidden = !isUnfinished(job);
    const missing = job.missing?.length ?? 0;
    this.retry.hidden = !(["failed", "cancelled"].includes(job.state) || (job.state === "done" && missing));
    this.front.hidden = !isWaiting(job) || isAhead || job.priority === "front";
    this.first.hidden = !isUnfinished(job) || job.priority !== "front";
    this.cost.textContent = isUnfinished(job) ? "" : costText(job.cost);
    this.missing.hidden = !missing || isUnfinished(job);
    say(this.missing, "job.missing", { count: missing });
    this.steps.show(job);
  }
}

customElements.define("vmeet-jobs", RecordingJobs);
