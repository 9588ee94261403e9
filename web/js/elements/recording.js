import { api, ApiError, exportUrl } from "../api.js";
import { fill, h, LocalizedElement, uniqueId } from "../dom.js";
import { formatClock, formatDate, formatList, formatSize, t } from "../i18n.js";
import { icon } from "../icons.js";
import { LiveRecordings, withoutMissing } from "../live-recordings.js";
import { Chapters } from "./chapters.js";
import { failureBox } from "./failure.js";
import { KeyForm } from "./key-form.js";
import { Notices } from "./notices.js";
import { Player } from "./player.js";
import { attempt, deleteRecording, processAgain } from "./recording-actions.js";
import { showState, stateTag } from "./recording-card.js";
import { grouped, groupTitle, mainResult, RecordingFiles } from "./recording-files.js";
import { RecordingJobs } from "./recording-jobs.js";
import { topBar } from "./top-bar.js";
import { TranscriptPanel } from "./transcript-panel.js";

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
    this.transcript = new TranscriptPanel({
      player: this.player,
      notices: this.notices,
      address: (job, result) => this.address(job, result),
      ask: () => this.processAgain(true),
      changed: () => this.showTranscript(),
    });
    this.again = h("button", { type: "button", class: "small", "data-testid": "again", onclick: () => this.processAgain(false) }, icon("again"), h("span", { t: "job.again" }));
    this.keep = h("button", { type: "button", class: "small", "data-testid": "keep", "aria-pressed": "false", tTitle: "keep.hint", onclick: () => this.toggleKeep() }, icon("pin"), h("span", { t: "keep.button" }));
    this.export = h("a", { class: "button small", "data-testid": "export", download: "", tTitle: "export.hint", href: exportUrl(this.recordingId) }, icon("archive"), h("span", { t: "export.button" }));
    /** @type {import("../types.js").Retention | null} */
    this.retention = null;
    this.removal = h("button", { type: "button", class: "small danger-text", "data-testid": "delete", onclick: () => this.deleteThis() }, icon("trash"), h("span", { t: "delete" }));
    this.main = h("main", { id: "main" });
    this.onHash = () => this.jump();
  }

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    if (this.childElementCount) return;
    fill(this, topBar(), this.main, this.notices);
    this.addEventListener("vmeet-key", () => this.load());
    window.addEventListener("hashchange", this.onHash);
    this.live.addEventListener("recording", (event) => this.heard(/** @type {CustomEvent} */ (event).detail));
    this.live.addEventListener("job", (event) => this.heardOfJob(/** @type {CustomEvent} */ (event).detail));
    this.live.addEventListener("deleted", (event) => /** @type {CustomEvent} */ (event).detail === this.recordingId && this.gone());
    this.load();
  }

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    window.removeEventListener("hashchange", this.onHash);
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
      const first = !this.recording;
      this.show(recording);
      if (first) this.jump();
      if (!this.live.source) this.live.open();
      if (!this.retention) await this.loadRetention();
    } catch (error) {
      this.failed(error);
    }
  }

  /** To the place that the address names: #t=SECONDS. @private */
  jump() {
    const time_s = Number(/^#t=([0-9.]+)$/.exec(location.hash)?.[1] ?? NaN);
    if (Number.isFinite(time_s)) this.player.startAt(time_s);
  }

  /** @private @param {unknown} error */
  failed(error) {
    const code = error instanceof ApiError ? error.code : "";
    if (code === "key-needed") return fill(this.main, h("div", { class: "card narrow" }, new KeyForm()));
    return fill(this.main, backLink(), failureBox(error, () => this.load()));
  }

  /** @private */
  build() {
    const actions = h("div", { class: "actions" }, this.keep, this.export, this.again, this.removal);
    const side = h("aside", {}, h("section", { class: "card" }, this.facts), h("section", { class: "card" }, h("h2", { t: "recording.files" }), this.files));
    const processing = h("section", { class: "processing" }, h("h2", { t: "job.title" }), this.jobs);
    const watched = h("div", { class: "recording-left" }, this.player, this.instead, this.versionField);
    const rest = h("div", { class: "recording-left" }, this.chapters, processing);
    const heading = h("div", { class: "page-head" }, h("div", { class: "title-line" }, this.heading, this.state), actions);
    this.columns = h("div", { class: "recording-columns" }, watched, this.transcript, rest, side);
    fill(this.main, backLink(), heading, this.columns);
  }

  /** A change is told without the files and the other jobs: when a job ends, everything is read again. @private
   *  @param {Recording} told */
  heard(told) {
    if (told.id !== this.recordingId || !this.recording) return;
    this.recording = { ...this.recording, ...told };
    if (told.job) this.heardOfJob(told.job);
    else this.show(this.recording);
  }

  /** @private @param {Job} told */
  heardOfJob(told) {
    if (told.recording_id !== this.recordingId || !this.recording) return;
    const jobs = this.recording.jobs ?? [];
    const before = jobs.find((each) => each.id === told.id);
    const job = withoutMissing(before, told);
    this.show({ ...this.recording, jobs: [...jobs.filter((each) => each.id !== told.id), job] });
    if (before?.state !== told.state || doneSteps(before) !== doneSteps(told)) this.load();
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
    this.again.hidden = this.removal.hidden = this.export.hidden = recording.state === "recording";
    this.keep.setAttribute("aria-pressed", String(Boolean(recording.kept)));
    this.showVersions(recording);
    this.showVideo();
  }

  /** @private @param {Recording} recording */
  showFacts(recording) {
    /** @type {[Key, string | HTMLElement][]} */
    const facts = [["recording.date", formatDate(recording.started_at_s, { dateStyle: "full", timeStyle: "short" })]];
    if (recording.duration_s !== null) facts.push(["recording.length", formatClock(recording.duration_s)]);
    if (recording.upload) facts.push(["recording.upload", uploadLink(recording.upload)]);
    else facts.push(["recording.people", recording.people.length ? formatList(recording.people) : t("recordings.no-people")]);
    facts.push(["recording.size", formatSize(recording.size_bytes)]);
    const deletion = this.deletionWords(recording);
    if (deletion) facts.push(["recording.deletion", deletion]);
    if (recording.note) facts.push(["recording.note", recording.note]);
    fill(this.facts, ...facts.map(([key, text]) => h("div", {}, h("dt", { t: key }), h("dd", {}, text))));
  }

  /** When it goes by itself, if the server has such a rule. @private @param {Recording} recording */
  deletionWords(recording) {
    const { retention } = this;
    if (!retention?.max_age_days && !retention?.max_total_bytes) return "";
    if (recording.kept) return t("recording.kept");
    if (retention.next?.id === recording.id && retention.next.reason === "size") return t("recording.deleted-next");
    if (recording.expires_at_s) return t("recording.deleted-at", { date: formatDate(recording.expires_at_s) });
    return retention.max_total_bytes ? t("recording.deleted-for-room") : "";
  }

  /** Without it the page says less, and nothing else is amiss. @private */
  async loadRetention() {
    this.retention = await api.retention().catch(() => null);
    if (this.recording) this.showFacts(this.recording);
  }

  /** @private */
  async toggleKeep() {
    const { recording } = this;
    if (!recording) return;
    await attempt(this.notices, async () => {
      const kept = !recording.kept;
      await api.keepRecording(recording.id, kept);
      if (this.recording) this.show({ ...this.recording, kept });
      await this.loadRetention();
      await this.load();
    });
  }

  /** Runs that have a video, the newest first; of those that share their files, one. @private
   *  @param {Recording} recording */
  showVersions(recording) {
    const all = recording.jobs ?? [];
    const groups = grouped(all).filter((group) => group.some(mainResult));
    const jobs = groups.map(playedOf);
    const titles = groups.map((group) => groupTitle(group, all));
    const shown = JSON.stringify([titles, jobs.map((job) => job.id)]);
    this.versionField.hidden = jobs.length < 2;
    if (this.versions.dataset.shown === shown) return;
    const chosen = this.versions.value;
    const watched = jobs[groups.findIndex((group) => group.some((job) => job.id === chosen))];
    this.versions.dataset.shown = shown;
    this.versions.replaceChildren(...jobs.map((job, index) => h("option", { value: job.id }, titles[index] ?? "")));
    if (watched) this.versions.value = watched.id; // what somebody watches stays
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
    this.chapters.load(video ? this.address(job, "chapters") : null);
    if (video) this.player.load(original ? { original, denoised: video } : { original: video, denoised: null }, recording?.thumbnail ?? null);
    else if (recording) this.showInstead(recording);
    this.showTranscript();
  }

  /** That of the version that is watched, or else the newest; the captions are those of the transcript. @private */
  showTranscript() {
    const { transcript } = this;
    const job = this.recording?.jobs?.find((each) => each.id === this.versions.value);
    transcript.show(this.recording?.jobs ?? [], this.versions.value, this.recording?.state !== "recording");
    if (this.columns) this.columns.dataset.transcript = transcript.dataset.state ?? "none";
    this.player.caption(transcript.captions ?? this.address(job, "captions"));
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

  /** @private @param {boolean} transcribe */
  async processAgain(transcribe) {
    if (this.recording && (await processAgain(this.recording, this.notices, transcribe))) this.load();
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

/** Of runs that share their files the one that has all of them. @param {Job[]} group */
function playedOf(group) {
  const playable = group.filter(mainResult);
  return /** @type {Job} */ (playable.find((job) => job.state === "done") ?? playable[0]);
}

/** @param {Job} [job] */
function doneSteps(job) {
  return job?.steps.filter((step) => step.state === "done").length;
}

/** @param {NonNullable<Recording["upload"]>} upload */
function uploadLink({ filename, url, size_bytes }) {
  return h("span", {}, h("a", { href: url, download: "" }, filename), ` · ${formatSize(size_bytes)}`);
}

function backLink() {
  return h("a", { class: "back", href: "/recordings" }, icon("back"), h("span", { t: "recording.back" }));
}

customElements.define("vmeet-recording", RecordingPage);
