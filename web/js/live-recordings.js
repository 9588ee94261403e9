/** What changes among the recordings, as the server tells it. No DOM. */

import { isKey, t } from "./i18n.js";

/** @typedef {import("./types.js").Recording} Recording */

/**
 * Events (CustomEvent): `recording` (Recording), `deleted` (id), `live` (boolean: whether the stream is open; after an
 * interruption one should read everything again).
 */
export class LiveRecordings extends EventTarget {
  open() {
    this.source = new EventSource("/api/events");
    this.source.addEventListener("open", () => this.emit("live", true));
    this.source.addEventListener("error", () => this.emit("live", false));
    this.source.addEventListener("recording", (event) => this.emit("recording", JSON.parse(event.data)));
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

/** @param {Recording} recording @param {string} wanted */
export function matchesFilter(recording, wanted) {
  const text = [recording.title, ...recording.people].join("\n").toLocaleLowerCase();
  return wanted.toLocaleLowerCase().split(/\s+/).every((word) => text.includes(word));
}
