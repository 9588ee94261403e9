/** The keys of a meeting: one list for the handler and for the help. */

/**
 * @typedef {"microphone" | "camera" | "screen" | "chat" | "people" | "effects" | "captions" | "said" | "copy-link" | "statistics" | "streams" | "record"
 *   | "devices" | "help"} Action
 */

/** @type {{key: string, action: Action, text: import("./i18n.js").Key}[]} */
export const SHORTCUTS = [
  { key: "M", action: "microphone", text: "help.microphone" },
  { key: "V", action: "camera", text: "help.camera" },
  { key: "S", action: "screen", text: "help.screen" },
  { key: "C", action: "chat", text: "help.chat" },
  { key: "P", action: "people", text: "help.people" },
  { key: "E", action: "effects", text: "help.effects" },
  { key: "T", action: "captions", text: "help.captions" },
  { key: "W", action: "said", text: "help.said" },
  { key: "L", action: "copy-link", text: "help.link" },
  { key: "I", action: "statistics", text: "help.statistics" },
  { key: "D", action: "devices", text: "help.devices" },
  { key: "R", action: "record", text: "help.record" },
  { key: "B", action: "streams", text: "help.streams" },
  { key: "?", action: "help", text: "help.help" },
];

/**
 * The action that a key asks for; null while someone types, in a dialog, and with other modifiers.
 * @param {KeyboardEvent} event
 * @returns {Action | null}
 */
export function actionOf(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return null;
  if (document.querySelector("dialog[open]") || isTyping(event.target)) return null;
  const key = letterOf(event);
  return SHORTCUTS.find((shortcut) => shortcut.key === key)?.action ?? null;
}

/** The Latin letter, whatever input method is on. @param {KeyboardEvent} event */
function letterOf(event) {
  if (/^[a-z?]$/i.test(event.key)) return event.key.toUpperCase();
  return /^Key[A-Z]$/.test(event.code) ? event.code.slice(3) : event.key;
}

/** @param {EventTarget | null} target */
function isTyping(target) {
  return target instanceof Element && Boolean(target.closest("input, textarea, select, [contenteditable]"));
}
