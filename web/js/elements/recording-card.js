import { api } from "../api.js";
import { fill, h, LocalizedElement } from "../dom.js";
import { formatClock, formatDate, formatList, formatPercent, say, t } from "../i18n.js";
import { icon } from "../icons.js";
import { isUnfinished, jobProgress, stepTitle } from "../live-recordings.js";
import { attempt, deleteRecording } from "./recording-actions.js";

/** @typedef {import("../types.js").Recording} Recording */
/** @typedef {import("./notices.js").Notices} Notices */

/** @type {Record<Recording["state"], string>} */
const TONES = { recording: "danger", recorded: "", processing: "accent", ready: "good", failed: "danger" };

/** One entry of the list. Event: `vmeet-deleted` (detail: id). */
export class RecordingCard extends LocalizedElement {
  /** @param {Recording} [recording] @param {Notices} [notices] */
  constructor(recording, notices) {
    super();
    this.recording = recording;
    this.notices = notices;
    this.picture = h("a", { class: "thumbnail", tabindex: -1, "aria-hidden": "true" });
    this.heading = h("a", { class: "title" });
    this.facts = h("p", { class: "facts muted" });
    this.people = h("p", { class: "people muted" });
    this.hits = h("ol", { class: "hits", hidden: true, "data-testid": "hits" });
    this.state = stateTag();
    this.progress = h("div", { class: "card-progress", hidden: true });
    this.bar = h("progress", { max: 1 });
    this.fault = h("p", { class: "fault", hidden: true, "data-testid": "fault" });
    this.step = h("span", { class: "small muted" });
    this.actions = h("div", { class: "actions" });
  }

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    if (this.childElementCount || !this.recording) return;
    this.dataset.testid = "recording";
    this.setAttribute("role", "listitem");
    this.progress.append(this.bar, this.step);
    const head = h("div", { class: "card-head" }, h("h2", {}, this.heading), this.state);
    this.append(this.picture, h("div", { class: "card-text" }, head, this.facts, this.people, this.hits, this.fault, this.progress, this.actions));
    this.show(this.recording);
  }

  /** @override */
  localize() {
    if (this.recording) this.show(this.recording);
  }

  /** @param {Recording} recording */
  show(recording) {
    this.recording = recording;
    this.dataset.recordingId = recording.id;
    this.dataset.state = recording.state;
    const path = `/recordings/${encodeURIComponent(recording.id)}`;
    this.picture.href = this.heading.href = path;
    this.heading.textContent = recording.title || t("recordings.untitled");
    const length = recording.duration_s === null ? "" : ` · ${formatClock(recording.duration_s)}`;
    this.facts.textContent = formatDate(recording.started_at_s) + length;
    const nobody = recording.state === "recording" ? "" : t("recordings.no-people"); // who is there is known at the end
    this.people.textContent = recording.upload ? t("recordings.uploaded", { file: recording.upload.filename }) : formatList(recording.people) || nobody;
    this.people.title = this.people.textContent;
    showState(this.state, recording);
    this.showHits(recording, path);
    this.showPicture(recording);
    this.showProgress(recording);
    this.showActions(recording);
  }

  /** Each place leads to it in the player. @private @param {Recording} recording @param {string} path */
  showHits({ hits }, path) {
    this.hits.hidden = !hits?.length;
    fill(this.hits, ...(hits ?? []).map((hit) => h("li", {}, hitLink(hit, path))));
  }

  /** @private @param {Recording} recording */
  showPicture({ thumbnail, duration_s }) {
    const shown = `${thumbnail}|${duration_s}`;
    if (this.picture.dataset.shown === shown) return;
    this.picture.dataset.shown = shown;
    const length = duration_s === null ? null : h("span", { class: "length" }, formatClock(duration_s));
    fill(this.picture, thumbnail ? h("img", { src: thumbnail, alt: "", loading: "lazy" }) : icon("film"), length);
  }

  /** @private @param {Recording} recording */
  showProgress({ job, note }) {
    this.progress.hidden = !job || !isUnfinished(job);
    const failed = job?.state === "failed" ? job.steps.find((each) => each.state === "failed") : undefined;
    this.fault.hidden = !failed && !note;
    this.fault.textContent = failed ? `${stepTitle(failed)}: ${failed.error ?? ""}` : note ?? "";
    if (!job) return;
    this.bar.value = jobProgress(job);
    const isAhead = job.priority === "ahead"; // there may always be more to do
    const step = isAhead ? undefined : job.steps.find((each) => each.state === "running");
    this.bar.hidden = isAhead;
    this.bar.setAttribute("aria-label", step ? stepTitle(step) : t("state.queued"));
    if (step) say(this.step, "step.progress", { step: stepTitle(step), percent: formatPercent(step.progress) });
    else say(this.step, isAhead ? "job.ahead" : "state.queued");
  }

  /** The buttons are made again only when they change, so that none loses the focus. @private
   *  @param {Recording} recording */
  showActions({ job, state }) {
    const wanted = [job && isUnfinished(job) ? "cancel" : "", job && ["failed", "cancelled"].includes(job.state) ? "retry" : "", state !== "recording" ? "delete" : ""];
    if (this.actions.dataset.shown === wanted.join()) return;
    this.actions.dataset.shown = wanted.join();
    const makers = { cancel: () => this.cancelButton(), retry: () => this.retryButton(), delete: () => this.deleteButton() };
    fill(this.actions, ...wanted.map((name) => name && makers[/** @type {"cancel"} */ (name)]()));
  }

  /** @private */
  cancelButton() {
    const cancel = () => this.onJob(api.cancelJob);
    return h("button", { type: "button", class: "quiet small", "data-testid": "cancel-job", onclick: cancel }, icon("close"), h("span", { t: "job.cancel" }));
  }

  /** @private */
  retryButton() {
    const retry = () => this.onJob(api.retryJob);
    return h("button", { type: "button", class: "quiet small", "data-testid": "retry-job", onclick: retry }, icon("again"), h("span", { t: "job.retry" }));
  }

  /** @private */
  deleteButton() {
    const remove = async () => {
      const { recording, notices } = this;
      if (!recording || !notices || !(await deleteRecording(recording, notices))) return;
      this.dispatchEvent(new CustomEvent("vmeet-deleted", { detail: recording.id, bubbles: true }));
    };
    return h("button", { type: "button", class: "icon-button small", "data-testid": "delete", tLabel: "delete.button", tTitle: "delete.button", onclick: remove }, icon("trash"));
  }

  /** @private @param {(id: string) => Promise<unknown>} action */
  onJob(action) {
    const { recording, notices } = this;
    const job = recording?.job;
    if (job && notices) attempt(notices, () => action(job.id));
  }
}

/** @param {import("../types.js").Hit} hit @param {string} path */
function hitLink({ text, marks, participant, start_s }, path) {
  const time = start_s === null ? null : h("span", { class: "time" }, formatClock(start_s));
  const who = participant ? h("span", { class: "who" }, participant) : null;
  return h("a", { href: start_s === null ? path : `${path}#t=${start_s}` }, time, who, h("span", { class: "said" }, ...marked(text, marks)));
}

/** The text with its marks. @param {string} text @param {[number, number][]} marks */
function marked(text, marks) {
  const characters = Array.from(text);
  /** @type {(string | HTMLElement)[]} */
  const parts = [];
  let done = 0;
  for (const [from, to] of marks) {
    parts.push(characters.slice(done, from).join(""), h("mark", {}, characters.slice(from, to).join("")));
    done = to;
  }
  return [...parts, characters.slice(done).join("")];
}

export function stateTag() {
  return h("span", { class: "tag", "data-testid": "state" });
}

/** @param {HTMLElement} tag @param {Recording} recording */
export function showState(tag, recording) {
  tag.className = `tag ${TONES[recording.state] ?? ""}`;
  say(tag, `state.${recording.state}`);
}

customElements.define("vmeet-recording-card", RecordingCard);
