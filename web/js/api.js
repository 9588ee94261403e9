/** The server's REST interface. Every failure is an ApiError. */

import { isKey, t } from "./i18n.js";

/** @typedef {import("./types.js").Choices} Choices */
/** @typedef {import("./types.js").ChosenPlugins} ChosenPlugins */
/** @typedef {import("./types.js").Recording} Recording */
/** @typedef {import("./types.js").Job} Job */
/** @typedef {import("./types.js").Meeting} Meeting */
/** @typedef {import("./types.js").PluginProblem} PluginProblem */

const THUMBNAIL_PX = 320;

export class ApiError extends Error {
  /** @param {string} code @param {string} message @param {number} status 0: no answer @param {string} [field] */
  constructor(code, message, status, field) {
    super(message);
    this.code = code;
    this.status = status;
    this.field = field;
  }
}

/**
 * What went wrong, in the user's language; the server's own words are the detail.
 * @param {unknown} error
 * @returns {{text: string, detail: string}}
 */
export function explain(error) {
  if (!(error instanceof ApiError)) return { text: t("error.unexpected"), detail: String(error) };
  const key = `error.${error.code}`;
  if (isKey(key)) return { text: t(key), detail: error.message };
  return { text: t(statusKey(error.status)), detail: error.message };
}

/** @param {number} status */
function statusKey(status) {
  if (status === 0) return "error.offline";
  if (status === 404) return "error.not-found";
  if (status === 409) return "error.conflict";
  return status >= 500 ? "error.server" : "error.refused";
}

/**
 * @param {string} method
 * @param {string} path
 * @param {unknown} [body] a file is sent as it is, whatever else as JSON
 * @returns {Promise<any>} null for an empty answer
 */
async function call(method, path, body) {
  const file = body instanceof Blob;
  const type = file ? body.type || "application/octet-stream" : "application/json";
  const headers = { Accept: "application/json", ...(body === undefined ? {} : { "Content-Type": type }) };
  /** @type {RequestInit} */
  const init = { method, headers };
  if (body !== undefined) init.body = file ? body : JSON.stringify(body);
  const response = await fetch(path, init).catch((error) => {
    throw new ApiError("offline", String(error.message ?? error), 0);
  });
  const data = await response.json().catch(() => null);
  if (response.ok) return data;
  const failure = data?.error ?? {};
  throw new ApiError(failure.code ?? "", failure.message ?? response.statusText, response.status, failure.field);
}

/** @param {string} id */
const recordingPath = (id) => `/api/recordings/${encodeURIComponent(id)}`;
/** @param {string} id */
const jobPath = (id) => `/api/jobs/${encodeURIComponent(id)}`;

export const api = {
  /** @returns {Promise<Choices>} */
  choices: () => call("GET", "/api/choices"),
  /** @param {{title: string, preset: string, choices: ChosenPlugins}} wish @returns {Promise<Meeting>} */
  createMeeting: (wish) => call("POST", "/api/meetings", wish),
  /** @param {string} id @returns {Promise<Meeting>} */
  meeting: (id) => call("GET", `/api/meetings/${encodeURIComponent(id)}`),
  /** The background pictures that the server has itself. @returns {Promise<import("./types.js").BuiltInPicture[]>} */
  pictures: async () => (await call("GET", "/api/pictures")).pictures,
  /** @param {string} id of the meeting @param {Blob} file @returns {Promise<{name: string}>} */
  addPicture: (id, file) => call("POST", `/api/meetings/${encodeURIComponent(id)}/pictures`, file),
  /** Newest first; with a search the best first. @param {string} [q] @param {number} [offset]
   *  @returns {Promise<import("./types.js").RecordingList>} */
  recordings: (q = "", offset = 0) => {
    const parameters = new URLSearchParams({ ...(q && { q }), ...(offset && { offset: String(offset) }) });
    return call("GET", `/api/recordings${parameters.size ? `?${parameters}` : ""}`);
  },
  /** @param {string} id @returns {Promise<Recording>} */
  recording: (id) => call("GET", recordingPath(id)),
  /** @param {string} address @returns {Promise<import("./types.js").Transcript>} */
  transcript: (address) => call("GET", address),
  /** @param {string} id @returns {Promise<void>} */
  deleteRecording: (id) => call("DELETE", recordingPath(id)),
  /** @param {string} id @param {import("./types.js").JobWish & {name?: string}} wish @returns {Promise<Job>} */
  processAgain: (id, wish) => call("POST", `${recordingPath(id)}/jobs`, wish),
  /** @param {string} id @returns {Promise<unknown>} */
  cancelJob: (id) => call("POST", `${jobPath(id)}/cancel`),
  /** @param {string} id @returns {Promise<unknown>} */
  retryJob: (id) => call("POST", `${jobPath(id)}/retry`),
  /** Lets a job go before all others. @param {string} id @returns {Promise<unknown>} */
  moveJobToFront: (id) => call("POST", `${jobPath(id)}/front`),
  /** @param {string} id @param {string} name "" for none @returns {Promise<unknown>} */
  renameJob: (id, name) => call("PATCH", jobPath(id), { name }),
  /** @param {string} id @param {boolean} kept for good @returns {Promise<Recording>} */
  keepRecording: (id, kept) => call("PATCH", recordingPath(id), { kept }),
  /** @returns {Promise<import("./types.js").Retention>} */
  retention: () => call("GET", "/api/retention"),
  /** @returns {Promise<{uploads: import("./types.js").Upload[], max_bytes: number}>} */
  uploads: () => call("GET", "/api/uploads"),
  /** @returns {Promise<{plugins: import("./types.js").Plugin[], problems: PluginProblem[]}>} */
  plugins: () => call("GET", "/api/plugins"),
  /** @param {string} key @returns {Promise<unknown>} */
  login: (key) => call("POST", "/api/login", { key }),
};

/** Where the whole log of a step is. @param {string} id of the job @param {string} step */
export function logUrl(id, step) {
  return `${jobPath(id)}/steps/${encodeURIComponent(step)}/log`;
}

/** Where everything of a recording is to be had as a zip file. @param {string} id */
export function exportUrl(id) {
  return `${recordingPath(id)}/export`;
}

/** Where a small one of a background picture is. @param {string} name */
export function thumbnailUrl(name) {
  return `/api/pictures/${encodeURIComponent(name)}?width_px=${THUMBNAIL_PX}`;
}
