import { api, explain } from "../api.js";
import { h, uniqueId } from "../dom.js";
import { say, t } from "../i18n.js";
import { wishLike } from "../job-wish.js";
import { confirmed, openDialog } from "./dialogs.js";
import { failureBox } from "./failure.js";
import { PluginChoices } from "./plugin-choices.js";

/** @typedef {import("../types.js").Choices} Choices */
/** @typedef {import("../types.js").Preset} Preset */
/** @typedef {import("../types.js").Job} Job */
/** @typedef {import("../types.js").Recording} Recording */
/** @typedef {import("./notices.js").Notices} Notices */

const MAX_NAME_CHARS = 80;

/**
 * Does something with the server and says what went wrong, if it did.
 * @param {Notices} notices
 * @param {() => Promise<unknown>} work
 */
export async function attempt(notices, work) {
  try {
    await work();
    return true;
  } catch (error) {
    const { text, detail } = explain(error);
    notices.show(text, { tone: "danger", detail, seconds: 12 });
    return false;
  }
}

/** Deletes after a confirmation; says whether it is gone. @param {Recording} recording @param {Notices} notices */
export async function deleteRecording(recording, notices) {
  const body = h("p", {});
  say(body, "delete.body", { title: recording.title || t("recordings.untitled") });
  const sure = await confirmed({ title: "delete.title", body: [body], yes: "delete.button", tone: "danger", testid: "delete-dialog" });
  return sure && (await attempt(notices, () => api.deleteRecording(recording.id)));
}

/** Asks for other choices and starts a job with them; says whether it started. @param {Recording} recording
 *  @param {Notices} notices @param {boolean} [transcribe] whether a transcriber is chosen to begin with */
export async function processAgain(recording, notices, transcribe = false) {
  const body = h("div", { class: "again" }, h("p", { class: "muted", t: "loading" }));
  const dialog = openDialog({ title: "job.again-title", body: [body], testid: "again-dialog" });
  const started = new Promise((resolve) => fillAgain(body, recording, transcribe, () => resolve(true)).catch((error) => body.replaceChildren(failureBox(error))));
  const done = await Promise.race([started, dialog.closed.then(() => false)]);
  if (!done) return false;
  dialog.element.close();
  notices.show(t("job.started"), { tone: "good" });
  return true;
}

/** Asks what the results of a job shall be called. @param {Job} job @param {Notices} notices */
export async function renameJob(job, notices) {
  const field = nameField(job.name ?? "");
  const form = h("form", { class: "again" }, field.element, h("button", { type: "submit", class: "primary", t: "ok" }));
  const dialog = openDialog({ title: "job.rename-title", body: [form], testid: "rename-dialog" });
  field.input.focus();
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    dialog.element.close("ok");
  });
  if (await dialog.closed) await attempt(notices, () => api.renameJob(job.id, field.input.value.trim()));
}

/** @param {string} name */
function nameField(name) {
  const id = uniqueId("name");
  const input = h("input", { type: "text", id, maxlength: MAX_NAME_CHARS, value: name, tPlaceholder: "job.name-placeholder", "data-testid": "job-name" });
  return { input, element: h("div", { class: "field" }, h("label", { for: id, t: "job.name" }), input) };
}

/** The usual transcriber as it usually is, or else the first one. @param {Choices} known @returns {Preset} */
function usualSpeech({ presets, providers }) {
  const { transcriber = null, ...usual } = presets["default"] ?? {};
  const first = providers.transcribers?.find((each) => each.allowed)?.name ?? null;
  return { ...usual, transcriber: transcriber ?? first };
}

/** @param {HTMLElement} body @param {Recording} recording @param {boolean} transcribe @param {() => void} started */
async function fillAgain(body, recording, transcribe, started) {
  const known = await api.choices();
  const choices = new PluginChoices(known, ["denoiser", "transcriber", "layout"]);
  const before = wishLike(recording.job?.request);
  const speech = transcribe && !before.transcriber ? usualSpeech(known) : {};
  choices.show(/** @type {Preset} */ ({ ...speech, ...before, options: { ...speech.options, ...before.options } }));
  const failure = h("div", {});
  const name = nameField("");
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (!choices.validate()) return;
    const called = name.input.value.trim();
    try {
      const wish = { ...wishLike(choices.value), ...(called ? { name: called } : {}) };
      await api.processAgain(recording.id, wish);
      started();
    } catch (error) {
      failure.replaceChildren(failureBox(error));
    }
  };
  const start = h("button", { type: "submit", class: "primary", t: "job.again", "data-testid": "again-start" });
  body.replaceChildren(h("p", { class: "muted", t: "job.again-hint" }), h("form", { onsubmit: submit, novalidate: true }, choices, name.element, failure, start));
}
