/** The chat of a meeting as this page knows it. Nothing here touches the document. */

/** @typedef {import("./protocol.js").ChatEntry} ChatEntry */

const MOST_ENTRIES = 500; // the server keeps fewer: whatever a rejoin brings again is still known here
const NOT_IN_TEXTS = /(?![\n\t])[\p{Cc}\p{Cs}]/gu;

/** A text as the server takes it: what it would refuse is left out. @param {string} text */
export function cleanText(text) {
  return text.normalize("NFC").replace(/\r\n?/g, "\n").replace(NOT_IN_TEXTS, "").trim();
}

/** Characters as the server counts them: an emoji is one. @param {string} text */
export function lengthOf(text) {
  return Array.from(text).length;
}

/** Each message once, in the order in which they came, and a bounded number of them. */
export class ChatLog {
  constructor() {
    /** @type {ChatEntry[]} */
    this.entries = [];
    /** @type {Set<string>} */
    this.known = new Set();
  }

  /** Says whether the message is a new one. @param {ChatEntry} entry */
  add(entry) {
    const key = keyOf(entry);
    if (this.known.has(key)) return false;
    this.known.add(key);
    this.entries.push(entry);
    if (this.entries.length > MOST_ENTRIES) this.forgetOldest();
    return true;
  }

  /** @private */
  forgetOldest() {
    const oldest = this.entries.shift();
    if (oldest) this.known.delete(keyOf(oldest));
  }
}

/** The time is part of it: a server that was started again counts from the beginning. @param {ChatEntry} entry */
function keyOf(entry) {
  return `${entry.number} ${entry.at_s}`;
}
