import { api } from "../api.js";
import { h, uniqueId } from "../dom.js";
import { formatSize } from "../i18n.js";
import { wishLike } from "../job-wish.js";
import { openDialog } from "./dialogs.js";
import { failureBox } from "./failure.js";
import { PluginChoices } from "./plugin-choices.js";

/** @typedef {import("../tus-upload.js").UploadWish} UploadWish */

const MOST_TITLE_CHARS = 120;

/** Asks for the title and what to do with the sound; null when nothing is to be uploaded. @param {File} file
 *  @returns {Promise<UploadWish | null>} */
export async function askForWish(file) {
  const body = h("div", { class: "again" }, h("p", { class: "muted", t: "loading" }));
  const dialog = openDialog({ title: "upload.title", body: [body], testid: "upload-dialog" });
  const wished = new Promise((resolve) => fillDialog(body, file, resolve).catch((error) => body.replaceChildren(failureBox(error))));
  const wish = await Promise.race([wished, dialog.closed.then(() => null)]);
  dialog.element.close();
  return wish;
}

/** @param {HTMLElement} body @param {File} file @param {(wish: UploadWish) => void} done */
async function fillDialog(body, file, done) {
  const known = await api.choices();
  const choices = new PluginChoices(known, ["denoiser", "transcriber"]);
  const preset = known.presets["default"];
  choices.show({ ...preset, layout: null });
  const id = uniqueId("title");
  const title = h("input", { id, type: "text", required: true, maxlength: MOST_TITLE_CHARS, "data-testid": "upload-title", value: file.name.replace(/\.[^.]+$/, "").slice(0, MOST_TITLE_CHARS) });
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (!title.value.trim()) return title.focus();
    if (!choices.validate()) return;
    done({ title: title.value.trim(), ...wishLike(choices.value) });
  };
  const start = h("button", { type: "submit", class: "primary", t: "upload.start", "data-testid": "upload-start" });
  const name = h("p", { class: "muted" }, `${file.name} · ${formatSize(file.size)}`);
  const field = h("div", { class: "field" }, h("label", { for: id, t: "upload.name" }), title);
  body.replaceChildren(name, h("form", { onsubmit: submit, novalidate: true }, field, choices, start));
  title.focus();
  title.select();
}
