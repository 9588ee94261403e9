import { explain } from "../api.js";
import { fill, h, LocalizedElement } from "../dom.js";
import { formatDate, formatPercent, formatSize, t } from "../i18n.js";
import { icon } from "../icons.js";
import { UnreadableFile } from "../tus-upload.js";

/** @typedef {import("../types.js").Upload} Upload */
/** @typedef {import("../tus-upload.js").TusUpload} TusUpload */
/** @typedef {import("../i18n.js").Key} Key */

/** @type {Record<TusUpload["state"], string[]>} the buttons of each state */
const BUTTONS = { sending: ["pause", "cancel"], waiting: ["pause", "cancel"], paused: ["resume", "cancel"], failed: ["resume", "cancel"], checking: [], done: [], cancelled: [] };

/**
 * An unfinished upload: one that is sent from here, or one that was begun and waits for its file.
 * Events: `vmeet-choose`, `vmeet-cancel` and `vmeet-dismiss` (bubbling).
 */
export class UploadRow extends LocalizedElement {
  constructor() {
    super();
    /** @type {Upload | null} as the server knows it */
    this.upload = null;
    /** @type {TusUpload | null} what is sent from this page */
    this.task = null;
    this.title_ = h("strong", { class: "upload-title" });
    this.bar = h("progress", { max: 1 });
    this.text = h("p", { class: "small muted", "data-testid": "upload-text" });
    this.fault = h("p", { class: "callout danger", role: "alert", hidden: true, "data-testid": "upload-fault" });
    this.actions = h("div", { class: "actions" });
  }

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    if (this.childElementCount) return;
    this.setAttribute("role", "listitem");
    this.dataset.testid = "upload";
    this.append(icon("upload"), h("div", { class: "upload-body" }, this.title_, this.bar, this.text, this.fault), this.actions);
    this.show();
  }

  /** @override */
  localize() {
    this.show();
  }

  /** @param {TusUpload} task */
  follow(task) {
    this.task = task;
    task.addEventListener("change", () => this.show());
    this.show();
  }

  show() {
    const { task, upload } = this;
    const name = task?.wish?.title || upload?.title || task?.file.name || "";
    const size = task?.file.size ?? upload?.length_bytes ?? 1;
    const sent = task ? task.sent : upload?.offset_bytes ?? 0;
    this.title_.textContent = name;
    this.dataset.state = task?.state ?? upload?.state ?? "waiting";
    this.bar.value = sent / Math.max(size, 1);
    this.bar.setAttribute("aria-label", name);
    this.text.textContent = this.words(sent, size);
    this.fault.hidden = task?.state !== "failed";
    if (task?.state === "failed") this.fault.textContent = faultOf(task.error);
    this.showActions(task?.isOver ? ["dismiss"] : task ? BUTTONS[task.state] : upload?.state === "waiting" ? ["choose", "cancel"] : []);
  }

  /** @private @param {number} sent @param {number} size */
  words(sent, size) {
    const { task, upload } = this;
    const params = { done: formatSize(sent), size: formatSize(size), percent: formatPercent(sent / Math.max(size, 1)) };
    if (task?.state === "waiting") return t("upload.waiting", { count: task.waits });
    if (task?.state === "checking" || (!task && upload?.state === "checking")) return t("upload.checking");
    if (task) return t(task.state === "paused" ? "upload.paused" : "upload.sending", params);
    if (upload?.state === "receiving") return t("upload.elsewhere", params);
    return t("upload.interrupted", { ...params, date: formatDate(upload?.expires_at_s ?? 0), name: upload?.filename ?? "" });
  }

  /** @private @param {string} event */
  tell(event) {
    this.dispatchEvent(new CustomEvent(event, { bubbles: true }));
  }

  /** The buttons are made again only when they change, so that none loses the focus. @private @param {string[]} wanted */
  showActions(wanted) {
    if (this.actions.dataset.shown === wanted.join()) return;
    const hadFocus = this.actions.contains(document.activeElement);
    this.actions.dataset.shown = wanted.join();
    /** @type {Record<string, () => HTMLElement>} */
    const makers = {
      pause: () => button("pause", "upload.pause", () => this.task?.pause()),
      resume: () => button("play", "upload.resume", () => this.task?.start()),
      choose: () => button("file", "upload.choose", () => this.tell("vmeet-choose")),
      cancel: () => button("close", "upload.cancel", () => this.tell("vmeet-cancel")),
      dismiss: () => button("close", "close", () => this.tell("vmeet-dismiss")),
    };
    fill(this.actions, ...wanted.map((name) => makers[name]?.()));
    if (hadFocus) this.actions.querySelector("button")?.focus();
  }
}

/** @param {string} sign @param {Key} text @param {() => void} onclick */
function button(sign, text, onclick) {
  return h("button", { type: "button", class: "quiet small", "data-testid": `upload-${text.replace("upload.", "")}`, onclick }, icon(sign), h("span", { t: text }));
}

/** @param {unknown} error */
function faultOf(error) {
  if (error instanceof UnreadableFile) return t("upload.unreadable");
  const { text, detail } = explain(error);
  return detail && detail !== text ? `${text} ${detail}` : text;
}

customElements.define("vmeet-upload", UploadRow);
