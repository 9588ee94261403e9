/** One file on its way to the server, by the tus protocol 1.0.0. No DOM. */

import { api, ApiError } from "./api.js";
import { speechOf } from "./job-wish.js";

/** @typedef {import("./types.js").Upload} Upload */
/** @typedef {import("./types.js").JobWish & {title: string}} UploadWish */
/** @typedef {"sending" | "checking" | "waiting" | "paused" | "failed" | "done" | "cancelled"} UploadState */

const FIRST_PART_BYTES = 256 * 1024; // the server soon says when it is no recording
const PART_BYTES = 8 * 1024 * 1024;
const WAITS_S = [1, 2, 5, 10, 20, 30];
/** Statuses after which another try may succeed; 0: no answer, 460: a part arrived damaged. */
const AGAIN = [0, 408, 409, 423, 460, 500, 502, 503, 504];
/** Statuses after which nothing of it is there. */
const REFUSED = [404, 413, 415, 422];
const PATH = "/api/uploads";

/** The file cannot be read any more: it was moved, changed or taken away. */
export class UnreadableFile extends Error {}

/** Whether this is the file that an unfinished upload was begun with. @param {File} file @param {Upload} upload */
export function isSameFile(file, upload) {
  return file.name === upload.filename && file.size === upload.length_bytes && (upload.modified_ms ?? file.lastModified) === file.lastModified;
}

/**
 * Event: `change`, whenever what can be seen of it is another.
 * `sent` is how many bytes are there, `waits` how many seconds until the next try.
 */
export class TusUpload extends EventTarget {
  /** @param {File} file @param {UploadWish | null} wish null for one that goes on @param {string} [id] */
  constructor(file, wish, id = "") {
    super();
    this.file = file;
    this.wish = wish;
    this.id = id;
    this.sent = 0;
    this.waits = 0;
    /** @type {UploadState} */
    this.state = "paused";
    /** @type {unknown} */
    this.error = null;
    this.turn = 0; // a run that is not the latest has nothing to say any more
    /** @type {(() => void) | null} */
    this.interrupt = null;
  }

  /** Whether it has failed for good: nothing of it is on the server. */
  get isOver() {
    return this.state === "failed" && (!this.id || (this.error instanceof ApiError && REFUSED.includes(this.error.status)));
  }

  /** Begin, or go on. */
  start() {
    if (this.state === "sending" || this.state === "checking" || this.state === "done") return;
    this.turn += 1;
    this.become("sending");
    this.run(this.turn);
  }

  /** What is there stays. */
  pause() {
    this.stop();
    this.become("paused");
  }

  /** Nothing of it stays. Raises ApiError. */
  async cancel() {
    this.stop();
    this.become("cancelled");
    if (this.id) await request("DELETE", `${PATH}/${this.id}`).catch(ignoreUnknown);
  }

  /** @private */
  stop() {
    this.turn += 1;
    this.interrupt?.();
  }

  /** @private @param {UploadState} state */
  become(state) {
    this.state = state;
    this.dispatchEvent(new Event("change"));
  }

  /** @private @param {number} turn */
  async run(turn) {
    for (let tries = 0; turn === this.turn; ) {
      try {
        await this.sendAll(turn, () => (tries = 0));
        return;
      } catch (error) {
        if (turn !== this.turn) return;
        if (!(error instanceof ApiError && AGAIN.includes(error.status))) return this.fail(error);
        await this.wait(turn, WAITS_S[Math.min(tries, WAITS_S.length - 1)] ?? 1);
        tries += 1;
      }
    }
  }

  /** @private @param {number} turn @param {() => void} onPart */
  async sendAll(turn, onPart) {
    if (!this.id) await this.create();
    if (turn !== this.turn || (await this.ask())) return;
    while (turn === this.turn && this.sent < this.file.size) {
      await this.sendPart(turn);
      onPart();
    }
    if (turn === this.turn) this.become("done");
  }

  /** @private */
  async create() {
    const { title, denoiser, transcriber, options = {}, ...wish } = this.wish ?? { title: "" };
    const metadata = {
      filename: this.file.name,
      title,
      modified_ms: String(this.file.lastModified),
      denoiser: denoiser ?? "none",
      ...(transcriber ? { transcriber, ...speechOf({ transcriber, ...wish }) } : {}),
      options: JSON.stringify(options),
    };
    const text = Object.entries(metadata).map(([key, value]) => `${key} ${base64(new TextEncoder().encode(value))}`).join(",");
    const answer = await request("POST", PATH, { "Upload-Length": String(this.file.size), "Upload-Metadata": text });
    this.id = answer.headers.get("Location")?.split("/").pop() ?? "";
    if (this.state === "cancelled") await request("DELETE", `${PATH}/${this.id}`).catch(ignoreUnknown);
  }

  /** How much is there; true when it is a recording already: then the answer to the last part was lost. @private */
  async ask() {
    try {
      const answer = await request("HEAD", `${PATH}/${this.id}`);
      this.sent = Number(answer.headers.get("Upload-Offset"));
      this.become(this.sent === this.file.size ? "checking" : "sending");
      if (this.sent < this.file.size) return false;
      throw new ApiError("checking", "", 503);
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 404)) throw error;
      await api.recording(this.id).catch(() => Promise.reject(error));
      this.become("done");
      return true;
    }
  }

  /** @private @param {number} turn */
  async sendPart(turn) {
    const end = this.sent + (this.sent ? PART_BYTES : FIRST_PART_BYTES);
    const part = await this.file.slice(this.sent, end).arrayBuffer().catch((error) => {
      throw new UnreadableFile(String(error));
    });
    /** @type {Record<string, string>} */
    const headers = { "Upload-Offset": String(this.sent), "Content-Type": "application/offset+octet-stream" };
    // Only pages that came by https, or from this machine, have it.
    if (crypto.subtle) headers["Upload-Checksum"] = `sha256 ${base64(new Uint8Array(await crypto.subtle.digest("SHA-256", part)))}`;
    if (turn === this.turn) this.sent = await this.patch(turn, part, headers);
  }

  /** XMLHttpRequest, since fetch tells nothing of how much has been sent. @private @param {number} turn
   *  @param {ArrayBuffer} part @param {Record<string, string>} headers @returns {Promise<number>} */
  patch(turn, part, headers) {
    const begin = this.sent;
    const xhr = new XMLHttpRequest();
    this.interrupt = () => xhr.abort();
    xhr.open("PATCH", `${PATH}/${this.id}`);
    for (const [name, value] of Object.entries({ "Tus-Resumable": "1.0.0", ...headers })) xhr.setRequestHeader(name, value);
    xhr.upload.addEventListener("progress", (event) => turn === this.turn && this.progressed(begin + event.loaded));
    return new Promise((resolve, reject) => {
      xhr.addEventListener("load", () => (xhr.status === 204 ? resolve(Number(xhr.getResponseHeader("Upload-Offset"))) : reject(failureOf(xhr.status, xhr.responseText))));
      xhr.addEventListener("error", () => reject(new ApiError("offline", "", 0)));
      xhr.addEventListener("abort", () => reject(new ApiError("aborted", "", 0)));
      xhr.send(part);
    });
  }

  /** @private @param {number} sent */
  progressed(sent) {
    this.sent = Math.min(sent, this.file.size);
    this.become(this.sent === this.file.size ? "checking" : "sending");
  }

  /** @private @param {number} turn @param {number} seconds */
  async wait(turn, seconds) {
    if (this.state !== "checking") {
      this.waits = seconds;
      this.become("waiting");
    }
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, seconds * 1000);
      this.interrupt = () => {
        clearTimeout(timer);
        resolve(undefined);
      };
    });
    if (turn === this.turn && this.state === "waiting") this.become("sending");
  }

  /** @private @param {unknown} error */
  fail(error) {
    this.error = error;
    this.become("failed");
  }
}

/** @param {unknown} error */
function ignoreUnknown(error) {
  if (!(error instanceof ApiError && error.status === 404)) throw error;
}

/** @param {string} method @param {string} path @param {Record<string, string>} [headers] */
async function request(method, path, headers = {}) {
  const response = await fetch(path, { method, headers: { "Tus-Resumable": "1.0.0", ...headers } }).catch((error) => {
    throw new ApiError("offline", String(error.message ?? error), 0);
  });
  if (!response.ok) throw failureOf(response.status, await response.text());
  return response;
}

/** @param {number} status @param {string} text */
function failureOf(status, text) {
  try {
    const { code, message, field } = JSON.parse(text).error;
    return new ApiError(code, message, status, field);
  } catch {
    return new ApiError("", text.slice(0, 200), status);
  }
}

/** @param {Uint8Array} bytes */
function base64(bytes) {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}
