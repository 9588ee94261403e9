import { h } from "../dom.js";
import { SHORTCUTS } from "../shortcuts.js";
import { DevicePicker } from "./device-picker.js";
import { confirmed, openDialog } from "./dialogs.js";
import { Preview } from "./preview.js";

/** @param {import("../session.js").Session} session @param {(deviceId: string) => void} setSpeaker */
export function openDevices(session, setSpeaker) {
  const preview = new Preview(session);
  const picker = new DevicePicker();
  preview.media = picker.media = session.media;
  const { element } = openDialog({ title: "devices.title", body: [preview, picker], testid: "devices-dialog", className: "devices-dialog" });
  element.addEventListener("vmeet-speaker", (event) => setSpeaker(/** @type {CustomEvent} */ (event).detail));
}

export function openMeetingHelp() {
  const rows = SHORTCUTS.map(({ key, text }) => h("div", {}, h("dt", {}, h("kbd", {}, key)), h("dd", { t: text })));
  const escape = h("div", {}, h("dt", {}, h("kbd", {}, "Esc")), h("dd", { t: "help.escape" }));
  const more = ["help.fullscreen", "help.pin", "help.network"].map((key) => h("li", { t: key }));
  openDialog({
    title: "help.title",
    body: [h("h3", { t: "help.keys" }), h("dl", { class: "keys" }, ...rows, escape), h("h3", { t: "help.more" }), h("ul", { class: "hints" }, ...more)],
    testid: "help-dialog",
  });
}

/** @param {boolean} active whether a recording runs */
export function confirmRecording(active) {
  if (active) {
    return confirmed({ title: "recording.stop-title", body: [h("p", { t: "recording.stop-body" })], yes: "recording.stop", tone: "danger" });
  }
  return confirmed({
    title: "recording.start-title",
    body: [h("p", { t: "recording.start-body" }), h("p", { class: "muted", t: "recording.start-detail" })],
    yes: "recording.start",
    tone: "danger",
  });
}

/**
 * Everyone who comes while a recording runs is told, and must have seen it.
 * @param {{startedBy: string | null, leftOut: boolean, mayChoose: boolean}} about
 * @returns {Promise<string>} "no" when the person does not want to be recorded
 */
export function tellRecording({ startedBy, leftOut, mayChoose }) {
  /** @type {import("./dialogs.js").DialogAction[]} */
  const actions = [{ text: "ok", value: "ok", tone: "primary", testid: "recording-ok" }];
  if (mayChoose) actions.push({ text: "consent.no", value: "no", testid: "recording-no" });
  return openDialog({
    title: "recording.runs-title",
    body: [h("p", { t: leftOut ? "recording.you-are-left-out" : "recording.runs-body" }), ...starter(startedBy)],
    actions,
    testid: "recording-dialog",
  }).closed;
}

/**
 * Asks whether this person may be recorded; closed without an answer they are not.
 * @param {string | null} startedBy
 * @returns {Promise<string>} "yes", "no" or ""
 */
export function askRecording(startedBy) {
  return openDialog({
    title: "consent.question",
    body: [h("p", { t: "consent.ask-body" }), ...starter(startedBy)],
    actions: [
      { text: "consent.no", value: "no", testid: "ask-no" },
      { text: "consent.yes", value: "yes", tone: "primary", testid: "ask-yes" },
    ],
    testid: "consent-dialog",
  }).closed;
}

/** @param {string | null} name */
function starter(name) {
  return name ? [h("p", { class: "muted", t: "recording.started-by-detail", tParams: { name } })] : [];
}
