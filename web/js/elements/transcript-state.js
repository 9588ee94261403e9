import { fill, h, LocalizedElement } from "../dom.js";
import { formatPercent, say } from "../i18n.js";
import { icon } from "../icons.js";
import { isUnfinished, stepTitle } from "../live-recordings.js";
import { speechSteps } from "../transcript.js";

/** @typedef {import("../types.js").Job} Job */
/** @typedef {"none" | "making" | "failed" | "made"} State */

/** Why there is no transcript (yet): nobody asked for one, it is being made, or it failed. */
export class TranscriptState extends LocalizedElement {
  /** @param {() => void} [ask] for a transcript @param {(job: Job) => void} [retry] */
  constructor(ask = () => {}, retry = () => {}) {
    super();
    /** @type {Job | null} */
    this.job = null;
    this.none = h(
      "div",
      { class: "transcript-none", "data-testid": "transcript-none" },
      h("p", { class: "muted", t: "transcript.none" }),
      h("button", { type: "button", class: "small", "data-testid": "transcribe", onclick: ask }, icon("captions"), h("span", { t: "transcript.ask" })),
    );
    this.bar = h("progress", { max: 1, tLabel: "transcript.making" });
    this.step = h("p", { class: "small muted" });
    this.making = h("div", { class: "transcript-making", role: "status", "data-testid": "transcript-making" }, h("p", { t: "transcript.making" }), this.step, this.bar);
    this.fault = h("p", { class: "small" });
    const again = h("button", { type: "button", class: "small", "data-testid": "transcript-retry", onclick: () => this.job && retry(this.job) }, icon("again"), h("span", { t: "job.retry" }));
    this.failed = h("div", { class: "callout danger", "data-testid": "transcript-failed" }, icon("warning"), h("div", { class: "grow" }, h("p", { t: "transcript.failed" }), this.fault), again);
  }

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    if (!this.childElementCount) fill(this, this.none, this.making, this.failed);
  }

  /** @override */
  localize() {
    if (this.job) this.show(this.job, this.state ?? "none");
  }

  /** @param {Job | null} job that makes it, or should have @param {State} state */
  show(job, state) {
    this.job = job;
    this.state = state;
    this.none.hidden = state !== "none";
    this.making.hidden = state !== "making";
    this.failed.hidden = state !== "failed";
    this.hidden = state === "made";
    if (!job) return;
    const steps = speechSteps(job);
    const running = steps.find((step) => step.state === "running") ?? job.steps.find((step) => step.state === "running");
    const progress = steps.reduce((sum, step) => sum + (step.state === "done" ? 1 : step.progress), 0) / Math.max(1, steps.length);
    this.bar.value = progress;
    if (running) say(this.step, "step.progress", { step: stepTitle(running), percent: formatPercent(running.progress) });
    else say(this.step, "state.queued");
    const broken = steps.find((step) => step.error) ?? job.steps.find((step) => step.error);
    this.fault.textContent = broken?.error ?? "";
    this.fault.hidden = !broken;
  }
}

/** @param {Job | null} job that makes a transcript, or should have @returns {State} */
export function stateOf(job) {
  if (!job) return "none";
  if (isUnfinished(job)) return "making";
  return job.state === "failed" || job.state === "cancelled" ? "failed" : "none";
}

customElements.define("vmeet-transcript-state", TranscriptState);
