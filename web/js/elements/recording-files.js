import { fill, h, LocalizedElement } from "../dom.js";
import { formatDate, formatSize, isKey, t } from "../i18n.js";
import { icon } from "../icons.js";
import { jobName } from "../job-name.js";
import { stepPerson } from "../live-recordings.js";

/** @typedef {import("../types.js").Recording} Recording */
/** @typedef {import("../types.js").RecordingFile} RecordingFile */
/** @typedef {import("../types.js").Job} Job */

const ORDER = ["video", "video-original", "sound", "sound-original", "mix-denoised", "mix", "audio-denoised", "audio"];

/** The files that processing made, each to be downloaded. */
export class RecordingFiles extends LocalizedElement {
  /** @override */
  localize() {
    if (this.recording) this.show(this.recording);
  }

  /** @param {Recording} recording */
  show(recording) {
    this.recording = recording;
    const files = recording.files ?? [];
    const jobs = (recording.jobs ?? []).filter((job) => files.some((file) => file.job_id === job.id));
    const lists = [...jobs].sort((a, b) => b.created_at_s - a.created_at_s).map((job) => {
      const own = files.filter((file) => file.job_id === job.id).sort((a, b) => rank(a) - rank(b));
      const list = h("ul", { class: "files", "data-testid": "files" }, ...own.map((file) => row(file, job)));
      return jobs.length < 2 ? list : h("section", {}, h("h3", {}, jobTitle(job, recording.jobs ?? [])), list);
    });
    fill(this, ...lists, lists.length ? null : h("p", { class: "muted", t: "recording.no-files" }));
  }
}

/** What people look for comes first. @param {RecordingFile} file */
function rank(file) {
  const place = ORDER.indexOf(file.name.split(":")[0] ?? "");
  return place < 0 ? ORDER.length : place;
}

/** @param {Job} job @param {readonly Job[]} jobs all of the recording */
export function jobTitle(job, jobs) {
  return `${jobName(job, jobs)} · ${formatDate(job.created_at_s)}`;
}

/** @param {RecordingFile} file @param {Job} job */
function row(file, job) {
  const title = fileTitle(file, job);
  const name = h("span", { class: "file-name" }, h("span", {}, title), h("span", { class: "muted small" }, `${file.title} · ${formatSize(file.size_bytes)}`));
  const separator = file.url.includes("?") ? "&" : "?";
  const link = h("a", { class: "button icon-button", href: `${file.url}${separator}download=1`, download: "", tTitle: "download", "aria-label": `${t("download")}: ${title}` }, icon("download"));
  return h("li", { "data-file": file.name }, icon(file.type.startsWith("video/") ? "film" : file.type.startsWith("audio/") ? "sound" : "file"), name, link);
}

/** The sound of a person is named after the person, whom the step that made it names. @param {RecordingFile} file
 *  @param {Job} job */
function fileTitle(file, job) {
  const [kind = "", id = ""] = file.name.split(":");
  const step = job.steps.find((each) => id && each.name === `audio:${id}`);
  const key = `file.${kind}`;
  return isKey(key) ? t(key, { who: step ? stepPerson(step) : "" }) : file.title;
}

customElements.define("vmeet-files", RecordingFiles);
