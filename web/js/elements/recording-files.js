import { fill, h, LocalizedElement } from "../dom.js";
import { formatDate, formatSize, isKey, t } from "../i18n.js";
import { icon } from "../icons.js";
import { jobName } from "../job-name.js";
import { wishLike } from "../job-wish.js";
import { stepPerson } from "../live-recordings.js";
import { PersonFiles } from "./person-files.js";

/** @typedef {import("../types.js").Recording} Recording */
/** @typedef {import("../types.js").RecordingFile} RecordingFile */
/** @typedef {import("../types.js").Job} Job */
/** @typedef {import("./notices.js").Notices} Notices */

const ORDER = [
  "video", "video-original", "sound", "sound-original", "person-video", "person-audio", "phrases",
  "transcript-docx", "transcript-md", "transcript-txt", "transcript-srt", "transcript-vtt", "transcript",
  "mix-denoised", "mix", "audio-denoised", "audio", "captions", "chapters",
];

/** The files that processing made, each to be downloaded. Runs that were asked for the same share a list. */
export class RecordingFiles extends LocalizedElement {
  /** @param {Notices} [notices] */
  constructor(notices) {
    super();
    this.notices = notices;
    /** @type {Map<string, PersonFiles>} */
    this.personFiles = new Map();
  }

  /** @override */
  localize() {
    if (this.recording) this.show(this.recording);
  }

  /** @param {Recording} recording */
  show(recording) {
    this.recording = recording;
    const files = recording.files ?? [];
    const all = recording.jobs ?? [];
    const groups = grouped(all).filter((jobs) => files.some((file) => isOf(file, jobs)));
    const lists = groups.map((jobs) => {
      const own = files.filter((file) => isOf(file, jobs)).sort((a, b) => rank(a) - rank(b));
      const list = h("ul", { class: "files", "data-testid": "files" }, ...own.map((file) => row(file, jobs)));
      const heading = groups.length < 2 ? null : h("h3", {}, groupTitle(jobs, all));
      return h("section", {}, heading, list, this.personsOf(recording, jobs));
    });
    const focused = this.contains(document.activeElement) ? document.activeElement : null;
    fill(this, ...lists, lists.length ? null : h("p", { class: "muted", t: "recording.no-files" }));
    if (focused instanceof HTMLElement && focused.isConnected) focused.focus();
  }

  /** The same element as before, so that a press is not lost. @private @param {Recording} recording @param {Job[]} jobs */
  personsOf(recording, jobs) {
    const key = /** @type {Job} */ (jobs.at(-1)).id;
    const element = this.personFiles.get(key) ?? new PersonFiles(recording.id, this.notices);
    this.personFiles.set(key, element);
    element.show(jobs);
    return recording.people.length ? element : null;
  }
}

/** By what they were asked for, but for files of each person; the newest first. @param {Job[]} jobs @returns {Job[][]} */
export function grouped(jobs) {
  /** @type {Job[][]} */
  const groups = [];
  for (const job of [...jobs].sort((a, b) => b.created_at_s - a.created_at_s)) {
    const group = groups.find((each) => each.every((other) => areAlike(job, other)));
    if (group) group.push(job);
    else groups.push([job]);
  }
  return groups;
}

/** Two that somebody named differently, or that made other files, stay apart. @param {Job} job @param {Job} other */
function areAlike(job, other) {
  const [one, two] = [mainFile(job), mainFile(other)];
  return wishOf(job) === wishOf(other) && (!job.name || !other.name || job.name === other.name) && (!one || !two || one === two);
}

/** What is to be played: the sound alone where nobody had a camera. @param {Job} job */
export function mainResult(job) {
  return ["video", "sound"].find((name) => job.results[name]);
}

/** @param {Job} job */
function mainFile(job) {
  return job.results[mainResult(job) ?? ""];
}

/** @param {Job} job */
function wishOf({ request }) {
  const { denoiser, transcriber, options = {}, ...wish } = wishLike(request);
  const [cleaning, hearing] = [denoiser, transcriber].map((name) => [name ?? null, options[name ?? ""] ?? {}]);
  const rest = Object.entries(wish).sort(([one], [other]) => one.localeCompare(other));
  return JSON.stringify([cleaning, hearing, rest]);
}

/** @param {RecordingFile} file @param {Job[]} jobs */
function isOf(file, jobs) {
  return jobs.some((job) => job.id === file.job_id);
}

/** What people look for comes first. @param {RecordingFile} file */
function rank(file) {
  const place = ORDER.indexOf(file.name.split(":")[0] ?? "");
  return place < 0 ? ORDER.length : place;
}

/** Of runs that share their files. @param {Job[]} group the newest first @param {readonly Job[]} jobs all of the recording */
export function groupTitle(group, jobs) {
  const job = group.find((each) => each.name) ?? /** @type {Job} */ (group[0]);
  return `${jobName(job, jobs)} · ${formatDate(job.created_at_s)}`;
}

/** @param {RecordingFile} file @param {Job[]} jobs */
function row(file, jobs) {
  const title = fileTitle(file, jobs);
  const name = h("span", { class: "file-name" }, h("span", {}, title), h("span", { class: "muted small" }, `${file.title} · ${formatSize(file.size_bytes)}`));
  const separator = file.url.includes("?") ? "&" : "?";
  const link = h("a", { class: "button icon-button", href: `${file.url}${separator}download=1`, download: "", tTitle: "download", "aria-label": `${t("download")}: ${title}` }, icon("download"));
  return h("li", { "data-file": file.name }, icon(file.type.startsWith("video/") ? "film" : file.type.startsWith("audio/") ? "sound" : "file"), name, link);
}

/** The sound of a person is named after the person, whom the step that made it names. @param {RecordingFile} file
 *  @param {Job[]} jobs */
function fileTitle(file, jobs) {
  const [kind = "", id = ""] = file.name.split(":");
  const steps = jobs.flatMap((job) => job.steps);
  const step = steps.find((each) => id && [`audio:${id}`, file.name].includes(each.name));
  const key = `file.${kind}`;
  return isKey(key) ? t(key, { who: step ? stepPerson(step) : "" }) : file.title;
}

customElements.define("vmeet-files", RecordingFiles);
