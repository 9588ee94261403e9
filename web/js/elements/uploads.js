import { api } from "../api.js";
import { h, LocalizedElement } from "../dom.js";
import { formatSize, say, t } from "../i18n.js";
import { icon } from "../icons.js";
import { isSameFile, TusUpload } from "../tus-upload.js";
import { confirmed } from "./dialogs.js";
import { attempt } from "./recording-actions.js";
import { askForWish } from "./upload-dialog.js";
import { UploadRow } from "./upload-row.js";

/** @typedef {import("../types.js").Upload} Upload */
/** @typedef {import("../tus-upload.js").UploadWish} UploadWish */
/** @typedef {import("./notices.js").Notices} Notices */

/** The button that takes files, and the uploads that are not finished: those from here, and those that wait. */
export class Uploads extends LocalizedElement {
  /** @param {Notices} [notices] */
  constructor(notices) {
    super();
    this.notices = notices;
    this.maxBytes = 0;
    /** @type {Set<UploadRow>} */
    this.rows = new Set();
    this.file = h("input", { type: "file", accept: "video/*,audio/*,.mkv,.mka,.ts,.mts,.m2ts,.mxf", multiple: true, hidden: true, "data-testid": "upload-file", onchange: () => this.chosen() });
    this.button = h("button", { type: "button", "data-testid": "upload-button", hidden: true, onclick: () => this.choose(null) }, icon("upload"), h("span", { t: "upload.button" }));
    this.list = h("div", { class: "upload-list", role: "list", "data-testid": "uploads", tLabel: "upload.list" });
    this.hint = h("p", { class: "small muted upload-hint", hidden: true });
    /** @type {UploadRow | null} whose file is chosen again */
    this.wanting = null;
  }

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    this.onLeave = (/** @type {BeforeUnloadEvent} */ event) => this.isSending && event.preventDefault();
    addEventListener("beforeunload", this.onLeave);
    if (this.childElementCount) return;
    this.append(this.file, this.hint, this.list);
    this.addEventListener("vmeet-choose", (event) => this.choose(/** @type {UploadRow} */ (event.target)));
    this.addEventListener("vmeet-dismiss", (event) => this.takeAway(/** @type {UploadRow} */ (event.target)));
    this.addEventListener("vmeet-cancel", (event) => this.cancel(/** @type {UploadRow} */ (event.target)));
  }

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    if (this.onLeave) removeEventListener("beforeunload", this.onLeave);
  }

  /** @override */
  localize() {
    this.showHint();
  }

  get isSending() {
    return [...this.rows].some((row) => ["sending", "waiting", "checking"].includes(row.task?.state ?? ""));
  }

  /** Reads what is unfinished. Raises ApiError. */
  async load() {
    const { uploads, max_bytes } = await api.uploads();
    this.maxBytes = max_bytes;
    this.button.hidden = !max_bytes;
    this.showHint();
    const known = new Set(uploads.map((upload) => upload.id));
    for (const row of this.rows) if (!row.task && row.upload && !known.has(row.upload.id)) this.takeAway(row);
    for (const upload of uploads) this.heard(upload);
  }

  /** What the server tells of one: perhaps before it has answered the wish for it. @param {Upload} upload */
  heard(upload) {
    const wished = [...this.rows].find(({ task, upload: known }) => task && !task.id && !known && isSameFile(task.file, upload));
    const row = this.rowOf(upload.id) ?? wished ?? this.add();
    if (wished?.task) wished.task.id = upload.id; // the answer itself may get lost
    row.upload = upload;
    row.show();
  }

  /** @param {{id: string, reason: string, message: string}} news */
  gone({ id, reason, message }) {
    const row = this.rowOf(id);
    if (!row || row.task) return; // who sends it knows more
    if (reason === "no-media") this.notices?.show(t("error.no-media"), { tone: "danger", detail: message, seconds: 12 });
    this.takeAway(row);
  }

  /** What may be dropped on the page. @param {readonly File[]} files */
  async take(files) {
    if (this.button.hidden) return;
    for (const file of files) {
      const waiting = this.wanting ?? [...this.rows].find((row) => row.upload?.state === "waiting" && !row.task && isSameFile(file, row.upload));
      if (waiting) this.goOn(waiting, file);
      else if (file.size > this.maxBytes) this.complain(t("upload.too-large", { name: file.name, size: formatSize(this.maxBytes) }));
      else if (!file.size) this.complain(t("upload.empty", { name: file.name }));
      else await this.begin(file);
    }
  }

  /** @private @param {UploadRow | null} row */
  choose(row) {
    this.wanting = row;
    this.file.click();
  }

  /** @private */
  async chosen() {
    const files = [...(this.file.files ?? [])];
    this.file.value = ""; // the same one may be chosen again
    await this.take(files);
    this.wanting = null;
  }

  /** @private @param {File} file */
  async begin(file) {
    const wish = await askForWish(file);
    if (wish) this.send(this.add(), new TusUpload(file, wish));
  }

  /** @private @param {UploadRow} row @param {File} file */
  goOn(row, file) {
    this.wanting = null;
    if (!row.upload) return;
    if (!isSameFile(file, row.upload)) return this.complain(t("upload.other-file", { name: row.upload.filename }));
    const task = new TusUpload(file, null, row.upload.id);
    task.sent = row.upload.offset_bytes;
    this.send(row, task);
  }

  /** @private @param {UploadRow} row @param {TusUpload} task */
  send(row, task) {
    task.addEventListener("change", () => task.state === "done" && this.done(row, task));
    row.follow(task);
    task.start();
    row.querySelector("button")?.focus();
  }

  /** @private @param {UploadRow} row @param {TusUpload} task */
  done(row, task) {
    this.takeAway(row);
    this.notices?.show(t("upload.done", { title: task.wish?.title ?? row.upload?.title ?? task.file.name }), { tone: "good" });
    this.dispatchEvent(new CustomEvent("vmeet-uploaded", { detail: task.id, bubbles: true }));
  }

  /** @private @param {UploadRow} row */
  async cancel(row) {
    const body = h("p", {});
    say(body, "upload.cancel-body", { title: row.task?.wish?.title ?? row.upload?.title ?? row.task?.file.name ?? "" });
    if (!(await confirmed({ title: "upload.cancel-title", body: [body], yes: "upload.cancel", tone: "danger", testid: "cancel-upload-dialog" }))) return;
    const task = row.task ?? new TusUpload(new File([], ""), null, row.upload?.id);
    if (this.notices && (await attempt(this.notices, () => task.cancel()))) this.takeAway(row);
  }

  /** @private @param {string} id */
  rowOf(id) {
    return [...this.rows].find((row) => row.upload?.id === id || row.task?.id === id);
  }

  /** @private */
  add() {
    const row = new UploadRow();
    this.rows.add(row);
    this.list.append(row);
    return row;
  }

  /** @private @param {UploadRow} row */
  takeAway(row) {
    const hadFocus = row.contains(document.activeElement);
    this.rows.delete(row);
    row.remove();
    if (hadFocus) this.button.focus();
  }

  /** @private @param {string} text */
  complain(text) {
    this.notices?.show(text, { tone: "danger", seconds: 12 });
  }

  /** @private */
  showHint() {
    this.hint.hidden = !this.maxBytes;
    this.hint.textContent = t("upload.hint", { size: formatSize(this.maxBytes) });
  }
}

/** Takes files that are dropped anywhere on an element. @param {HTMLElement} place @param {Uploads} uploads */
export function acceptDrops(place, uploads) {
  const hasFiles = (/** @type {DragEvent} */ event) => Boolean(event.dataTransfer?.types.includes("Files")) && !uploads.button.hidden;
  const over = (/** @type {DragEvent} */ event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    place.toggleAttribute("data-drop", true);
  };
  place.addEventListener("dragenter", over);
  place.addEventListener("dragover", over);
  place.addEventListener("dragleave", (event) => {
    if (!(event.relatedTarget instanceof Node && place.contains(event.relatedTarget))) place.removeAttribute("data-drop");
  });
  place.addEventListener("drop", (event) => {
    place.removeAttribute("data-drop");
    if (!hasFiles(event)) return;
    event.preventDefault();
    uploads.take([...(event.dataTransfer?.files ?? [])]);
  });
}

customElements.define("vmeet-uploads", Uploads);
