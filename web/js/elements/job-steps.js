import { h, LocalizedElement } from "../dom.js";
import { formatPercent, say } from "../i18n.js";
import { icon } from "../icons.js";
import { stepTitle } from "../live-recordings.js";

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
    for (const step of job.steps) {
      const row = this.rows.get(step.name) ?? new StepRow();
      this.rows.set(step.name, row);
      row.show(step);
      if (!row.element.isConnected) this.list.append(row.element);
    }
  }
}

class StepRow {
  constructor() {
    this.sign = h("span", { class: "step-sign" });
    this.title = h("span", { class: "title" });
    this.state = h("span", { class: "step-state" });
    this.bar = h("progress", { max: 1 });
    this.fault = h("p", { class: "callout danger", hidden: true });
    this.log = h("pre", { tabindex: 0 });
    this.details = h("details", { hidden: true }, h("summary", { t: "job.log" }), this.log);
    this.element = h("li", {}, this.sign, h("div", { class: "step-body" }, h("div", { class: "step-line" }, this.title, this.state), this.bar, this.fault, this.details));
  }

  /** @param {Step} step */
  show(step) {
    this.element.dataset.state = step.state;
    this.element.dataset.step = step.name;
    this.sign.replaceChildren(icon(ICONS[step.state] ?? "clock"));
    this.title.textContent = stepTitle(step);
    this.bar.hidden = step.state !== "running";
    this.bar.value = step.progress;
    this.bar.setAttribute("aria-label", stepTitle(step));
    this.showState(step);
    this.fault.hidden = !step.error;
    this.fault.textContent = step.error ?? "";
    const log = step.log_tail.join("\n");
    this.details.hidden = !log || step.state === "done";
    if (this.log.textContent !== log) this.log.textContent = log;
  }

  /** @private @param {Step} step */
  showState({ state, progress, seconds }) {
    if (state === "running") {
      delete this.state.dataset.t;
      this.state.textContent = formatPercent(progress);
    } else if (state === "done" && seconds !== null) {
      say(this.state, "job.seconds", { seconds: seconds < 10 ? Math.round(seconds * 10) / 10 : Math.round(seconds) });
    } else say(this.state, `state.${state}`);
  }
}

customElements.define("vmeet-steps", JobSteps);
