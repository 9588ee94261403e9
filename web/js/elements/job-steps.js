import { logUrl } from "../api.js";
import { h, LocalizedElement } from "../dom.js";
import { formatPercent, say } from "../i18n.js";
import { icon } from "../icons.js";
import { stepTitle } from "../live-recordings.js";
import { costText } from "./job-cost.js";

/** @typedef {import("../types.js").Job} Job */
/** @typedef {import("../types.js").Step} Step */

/** @type {Record<Step["state"], string>} */
const ICONS = { queued: "clock", running: "again", done: "check", failed: "warning", cancelled: "close" };

/** The steps of a job with their progress, time, fault and log; rows stay, so that an open log stays open. */
export class JobSteps extends LocalizedElement {
  constructor() {
    super();
    /** @type {Job | null} */
    this.job = null;
    this.list = h("ol", { class: "steps", "data-testid": "steps" });
    /** @type {Map<string, StepRow>} */
    this.rows = new Map();
  }

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    if (!this.childElementCount) this.append(this.list);
  }

  /** @override */
  localize() {
    if (this.job) this.show(this.job);
  }

  /** @param {Job} job */
  show(job) {
    this.job = job;
    const rows = job.steps.map((step) => {
      const row = this.rows.get(step.name) ?? new StepRow();
      this.rows.set(step.name, row);
      row.show(step, job.id);
      return row.element;
    });
    const same = rows.length === this.list.childElementCount && rows.every((row, index) => this.list.children[index] === row);
    if (!same) this.list.replaceChildren(...rows); // a job that grows gets steps between others, and loses some
  }
}

class StepRow {
  constructor() {
    this.sign = h("span", { class: "step-sign" });
    this.title = h("span", { class: "title" });
    this.state = h("span", { class: "step-state" });
    this.parts = h("span", { class: "muted small", hidden: true, "data-testid": "parts" });
    this.bar = h("progress", { max: 1 });
    this.fault = h("p", { class: "callout danger", hidden: true });
    this.again = h("p", { class: "muted small", hidden: true, "data-testid": "retry-in" });
    this.log = h("pre", { tabindex: 0 });
    this.whole = h("a", { class: "small", target: "_blank", t: "job.whole-log", "data-testid": "whole-log" });
    this.details = h("details", { hidden: true }, h("summary", { t: "job.log" }), this.log, this.whole);
    this.element = h("li", {}, this.sign, h("div", { class: "step-body" }, h("div", { class: "step-line" }, this.title, this.parts, this.state), this.bar, this.fault, this.again, this.details));
    /** @type {number | undefined} */
    this.timer = undefined;
    this.retryAt = 0;
  }

  /** @param {Step} step @param {string} jobId */
  show(step, jobId) {
    this.element.dataset.state = step.state;
    this.element.dataset.step = step.name;
    this.sign.replaceChildren(icon(ICONS[step.state] ?? "clock"));
    this.title.textContent = stepTitle(step);
    this.bar.hidden = step.state !== "running";
    this.bar.value = step.progress;
    this.bar.setAttribute("aria-label", stepTitle(step));
    this.showState(step);
    this.showParts(step);
    this.fault.hidden = !step.error;
    this.fault.textContent = step.error ?? "";
    const log = step.log_tail.join("\n");
    this.details.hidden = !log;
    this.whole.href = logUrl(jobId, step.name);
    this.showRetry(step);
    if (this.log.textContent !== log) this.log.textContent = log;
  }

  /** The seconds go on between what the server tells. @private @param {Step} step */
  showRetry({ retry_in_s = null, attempts = 0 }) {
    clearInterval(this.timer);
    this.again.hidden = retry_in_s === null;
    if (retry_in_s === null) return;
    this.retryAt = performance.now() + retry_in_s * 1000;
    const tick = () => {
      const seconds = Math.max(0, Math.ceil((this.retryAt - performance.now()) / 1000));
      say(this.again, "job.retry-in", { seconds, count: attempts });
      return seconds > 0;
    };
    tick();
    this.timer = setInterval(() => (this.element.isConnected && tick()) || clearInterval(this.timer), 1000);
  }

  /** @private @param {Step} step */
  showParts({ state, parts = 0, parts_done = 0 }) {
    this.parts.hidden = parts < 2 || state === "done";
    if (!this.parts.hidden) say(this.parts, "step.parts", { done: parts_done, count: parts });
  }

  /** @private @param {Step} step */
  showState({ state, progress, seconds, cost }) {
    const took = costText(cost) || costText({ wall_s: seconds, cpu_s: null, peak_memory_bytes: null });
    if (state === "running" || (state === "done" && took)) {
      delete this.state.dataset.t;
      this.state.textContent = state === "running" ? formatPercent(progress) : took;
    } else say(this.state, `state.${state}`);
  }
}

customElements.define("vmeet-steps", JobSteps);
