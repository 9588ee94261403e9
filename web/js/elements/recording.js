import { api, ApiError } from "../api.js";
import { fill, h, LocalizedElement, uniqueId } from "../dom.js";
import { formatClock, formatDate, formatList, formatSize, t } from "../i18n.js";
import { icon } from "../icons.js";
import { LiveRecordings } from "../live-recordings.js";
import { Chapters } from "./chapters.js";
import { failureBox } from "./failure.js";
import { KeyForm } from "./key-form.js";
import { Notices } from "./notices.js";
import { Player } from "./player.js";
import { deleteRecording, processAgain } from "./recording-actions.js";
import { showState, stateTag } from "./recording-card.js";
import { grouped, jobTitle, RecordingFiles } from "./recording-files.js";
import { RecordingJobs } from "./recording-jobs.js";
import { topBar } from "./top-bar.js";

/** @typedef {import("../types.js").Job} Job */
/** @typedef {import("../types.js").Recording} Recording */
/** @typedef {import("../i18n.js").Key} Key */

/** @type {Record<Recording["state"], [string, Key, Key | null]>} shown where the video would be */
const INSTEAD = {
  recording: ["record", "recording.still-recording", null],
  processing: ["clock", "recording.not-ready", "recording.not-ready-hint"],
  failed: ["warning", "recording.failed", "recording.failed-hint"],
  recorded: ["film", "recording.no-video", "recording.no-video-hint"],
  ready: ["film", "recording.no-video", "recording.no-video-hint"],
};

/** One recording: player, facts, files, processing. */
export class RecordingPage extends LocalizedElement {
  constructor() {
    super();
    this.recordingId = decodeURIComponent(location.pathname.split("/")[2] ?? "");
    /** @type {Recording | null} */
    this.recording = null;
    this.live = new LiveRecordings();
    this.notices = new Notices();
    this.player = new Player();
    this.instead = h("div", { class: "instead", "data-testid": "no-video" });
    this.versions = h("select", { id: uniqueId("version"), "data-testid": "version", onchange: () => this.showVideo() });
    this.versionField = h("div", { class: "version", hidden: true }, h("label", { for: this.versions.id, t: "job.version" }), this.versions);
    this.heading = h("h1", { "data-testid": "title" });
    this.state = stateTag();
    this.facts = h("dl", { class: "facts" });
    this.files = new RecordingFiles(this.notices);
    this.chapters = new Chapters(this.player.video);
    this.jobs = new RecordingJobs(this.notices);
    this.again = h("button", { type: "button", class: "small", "data-testid": "again", onclick: () => this.processAgain() }, icon("again"), h("span", { t: "job.again" }));
    this.removal = h("button", { type: "button", class: "small danger-text", "data-testid": "delete", onclick: () => this.deleteThis() }, icon("trash"), h("span", { t: "delete" }));
    this.main = h("main", { id: "main" });
  }

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    if (this.childElementCount) return;
    fill(this, topBar(), this.main, this.notices);
    this.addEventListener("vmeet-key", () => this.load());
    this.live.addEventListener("recording", (event) => this.heard(/** @type {CustomEvent} */ (event).detail));
    this.live.addEventListener("deleted", (event) => /** @type {CustomEvent} */ (event).detail === this.recordingId && this.gone());
    this.load();
  }

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    this.live.close();
  }

  /** @override */
  localize() {
    if (this.recording) this.show(this.recording);
  }

  /** @private */
  async load() {
    if (!this.recording) fill(this.main, h("p", { class: "loading", role: "status", t: "loading" }));
    try {
      const recording = await api.recording(this.recordingId);
      if (!this.recording) this.build();
      this.show(recording);
      if (!this.live.source) this.live.open();
    } catch (error) {
      this.failed(error);
    }
  }

  /** @private @param {unknown} error */
  failed(error) {
    const code = error instanceof ApiError ? error.code : "";
    if (code === "key-needed") return fill(this.main, h("div", { class: "card narrow" }, new KeyForm()));
    return fill(this.main, backLink(), failureBox(error, () => this.load()));
  }

  /** @private */
  build() {
    const actions = h("div", { class: "actions" }, this.again, this.removal);
    const side = h("aside", {}, h("section", { class: "card" }, this.facts), h("section", { class: "card" }, h("h2", { t: "recording.files" }), this.files));
    const processing = h("section", { class: "processing" }, h("h2", { t: "job.title" }), this.jobs);
    const left = h("div", { class: "recording-left" }, this.player, this.instead, this.versionField, this.chapters, processing);
    const heading = h("div", { class: "page-head" }, h("div", { class: "title-line" }, this.heading, this.state), actions);
    fill(this.main, backLink(), heading, h("div", { class: "recording-columns" }, left, side));
  }

  /** A change is told without the files and the other jobs: when a job ends, everything is read again. @private
   *  @param {Recording} told */
  heard(told) {
    if (told.id !== this.recordingId || !this.recording) return;
    const { job } = told;
    const jobs = (this.recording.jobs ?? []).filter((each) => each.id !== job?.id);
    const before = this.recording.jobs?.find((each) => each.id === job?.id);
    this.show({ ...this.recording, ...told, jobs: job ? [...jobs, job] : jobs });
    const changed = before?.state !== job?.state || Object.keys(before?.results ?? {}).length !== Object.keys(job?.results ?? {}).length;
    if (changed) this.load();
  }

  /** @private @param {Recording} recording */
  show(recording) {
    this.recording = recording;
    const title = recording.title || t("recordings.untitled");
    this.heading.textContent = title;
    document.title = `${title} · VMeet`;
    this.dataset.state = recording.state;
    showState(this.state, recording);
    this.showFacts(recording);
    this.files.show(recording);
    this.jobs.show(recording.jobs ?? []);
    this.again.hidden = this.removal.hidden = recording.state === "recording";
    this.showVersions(recording);
    this.showVideo();
  }

  /** @private @param {Recording} recording */
  showFacts(recording) {
    /** @type {[Key, string][]} */
    const facts = [["recording.date", formatDate(recording.started_at_s, { dateStyle: "full", timeStyle: "short" })]];
    if (recording.duration_s !== null) facts.push(["recording.length", formatClock(recording.duration_s)]);
    facts.push(["recording.people", recording.people.length ? formatList(recording.people) : t("recordings.no-people")]);
    facts.push(["recording.size", formatSize(recording.size_bytes)]);
    if (recording.note) facts.push(["recording.note", recording.note]);
    fill(this.facts, ...facts.map(([key, text]) => h("div", {}, h("dt", { t: key }), h("dd", {}, text))));
  }

  /** Runs that have a video, the newest first; of those that were asked for the same, one. @private
   *  @param {Recording} recording */
  showVersions(recording) {
    const jobs = grouped(recording.jobs ?? []).flatMap((group) => group.find((job) => mainResult(job)) ?? []);
    const shown = jobs.map((job) => job.id).join();
    this.versionField.hidden = jobs.length < 2;
    if (this.versions.dataset.shown === shown) return;
    this.versions.dataset.shown = shown;
    this.versions.replaceChildren(...jobs.map(versionOption));
  }

  /** @private */
  showVideo() {
    const { recording } = this;
    const job = recording?.jobs?.find((each) => each.id === this.versions.value);
    const result = job && mainResult(job);
    const video = result ? this.address(job, result) : null;
    this.player.hidden = !video;
    this.instead.hidden = Boolean(video);
    const original = this.address(job, `${result}-original`);
    this.player.caption(this.address(job, "captions"));
    this.chapters.load(video ? this.address(job, "chapters") : null);
    if (video) this.player.load(original ? { original, denoised: video } : { original: video, denoised: null }, recording?.thumbnail ?? null);
    else if (recording) this.showInstead(recording);
  }

  /** @private @param {Recording} recording */
  showInstead(recording) {
    const [sign, text, hint] = INSTEAD[recording.state];
    fill(this.instead, icon(sign), h("p", { class: "title", t: text }), hint ? h("p", { class: "muted", t: hint }) : null);
  }

  /** @private @param {Job | undefined} job @param {string} result */
  address(job, result) {
    const path = job?.results[result];
    return path ? `/api/recordings/${encodeURIComponent(this.recordingId)}/files/${path.split("/").map(encodeURIComponent).join("/")}` : null;
  }

  /** @private */
  async processAgain() {
    if (this.recording && (await processAgain(this.recording, this.notices))) this.load();
  }

  /** @private */
  async deleteThis() {
    if (this.recording && (await deleteRecording(this.recording, this.notices))) this.gone();
  }

  /** @private */
  gone() {
    location.assign("/recordings");
  }
}

/** What is to be played: the sound alone where nobody had a camera. @param {Job} job */
function mainResult(job) {
  return ["video", "sound"].find((name) => job.results[name]);
}

/** @param {Job} job */
function versionOption(job) {
  return h("option", { value: job.id }, jobTitle(job));
}

function backLink() {
  return h("a", { class: "back", href: "/recordings" }, icon("back"), h("span", { t: "recording.back" }));
}

customElements.define("vmeet-recording", RecordingPage);
