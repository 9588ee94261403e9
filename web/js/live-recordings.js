/** What changes among the recordings, as the server tells it. No DOM. */

import { isKey, t } from "./i18n.js";

/**
 * Events (CustomEvent): `recording` (Recording, with its latest job), `job` (Job, any one), `deleted` (id), `upload`
 * (Upload), `upload-deleted` ({id, reason, message}), `database` (boolean: whether the server waits for its database),
 * `live` (boolean: whether the stream is open; after an interruption one should read everything again).
 */
export class LiveRecordings extends EventTarget {
  open() {
    this.source = new EventSource("/api/events");
    this.source.addEventListener("open", () => this.emit("live", true));
    this.source.addEventListener("error", () => this.emit("live", false));
    this.source.addEventListener("recording", (event) => this.emit("recording", JSON.parse(event.data)));
    this.source.addEventListener("job", (event) => this.emit("job", JSON.parse(event.data)));
    this.source.addEventListener("database", (event) => this.emit("database", JSON.parse(event.data).waiting));
    this.source.addEventListener("upload", (event) => this.emit("upload", JSON.parse(event.data)));
    this.source.addEventListener("upload-deleted", (event) => this.emit("upload-deleted", JSON.parse(event.data)));
    this.source.addEventListener("recording-deleted", (event) => this.emit("deleted", JSON.parse(event.data).id));
  }

  close() {
    this.source?.close();
  }

  /** @private @param {string} type @param {unknown} detail */
  emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** The progress of a whole job, 0 to 1; every step counts the same. @param {import("./types.js").Job} job */
export function jobProgress(job) {
  if (!job.steps.length) return 0;
  return job.steps.reduce((sum, step) => sum + (step.state === "done" ? 1 : step.progress), 0) / job.steps.length;
}

/**
 * What a step does, in the user's language; a step that this page does not know keeps the server's words.
 * @param {import("./types.js").Step} step
 */
export function stepTitle({ name, title }) {
  const [kind = "", detail = ""] = name.split(":");
  const key = `step.${kind}${kind === "join" && detail.endsWith("-original") ? "-original" : ""}`;
  return isKey(key) ? t(key, { who: stepPerson({ title }) }) : title;
}

/** The person whom the title of a step names. @param {{title: string}} step */
export function stepPerson({ title }) {
  return title.replace(/^(Sound of|Denoise|Picture of|Video of|Sound file of) /, "");
}

/** @param {import("./types.js").Job} job */
export function isUnfinished(job) {
  return job.state === "queued" || job.state === "running";
}

/** Nothing of it runs, but it could. @param {import("./types.js").Job} job */
export function isWaiting(job) {
  return isUnfinished(job) && !job.steps.some((step) => step.state === "running");
}

/**
 * What is known of a job after the server told of it: it does not tell what was deleted.
 * @param {import("./types.js").Job | undefined} before
 * @param {import("./types.js").Job} told
 * @returns {import("./types.js").Job}
 */
export function withoutMissing(before, told) {
  const missing = before?.missing ?? [];
  if (!missing.length || isUnfinished(told)) return told;
  const results = Object.fromEntries(Object.entries(told.results).filter(([name]) => !missing.includes(name)));
  return { ...told, results, missing };
}
