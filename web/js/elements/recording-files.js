import { fill, h, LocalizedElement } from "../dom.js";
import { formatSize, isKey, t } from "../i18n.js";
import { icon } from "../icons.js";

/** @typedef {import("../types.js").Recording} Recording */
/** @typedef {import("../types.js").RecordingFile} RecordingFile */

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
    if (!files.length) fill(this, h("p", { class: "muted", t: "recording.no-files" }));
    else fill(this, h("ul", { class: "files", "data-testid": "files" }, ...files.map(row)));
  }
}

/** @param {RecordingFile} file */
function row(file) {
  const key = `file.${file.name.split(":")[0]}`;
  const title = isKey(key) ? t(key) : file.title;
  const name = h("span", { class: "file-name" }, h("span", {}, title), h("span", { class: "muted small" }, `${file.title} · ${formatSize(file.size_bytes)}`));
  const separator = file.url.includes("?") ? "&" : "?";
  const link = h("a", { class: "button icon-button", href: `${file.url}${separator}download=1`, download: "", tTitle: "download", "aria-label": `${t("download")}: ${title}` }, icon("download"));
  return h("li", { "data-file": file.name }, icon(file.type.startsWith("video/") ? "film" : file.type.startsWith("audio/") ? "sound" : "file"), name, link);
}

customElements.define("vmeet-files", RecordingFiles);
