/** Which captions are over the pictures at a moment: a page of each of those who spoke last. No DOM. */

import { pagesOf, readingS } from "./caption-lines.js";

/** @typedef {import("./protocol.js").CaptionEntry} CaptionEntry */
/** @typedef {{id: string, name: string, lines: string[]}} ShownCaption */
/** @typedef {{id: string, name: string, pages: string[][], fromS: number, spokeS: number}} Voice */

const LINGER_S = 4; // the last page stays so much longer than it takes to read
const MOST_VOICES = 3;
const MOST_PAGES = 6; // of one person that wait to be read: what is older makes room

/** Times are seconds of any clock that never goes back. */
export class ShownCaptions {
  constructor() {
    /** @type {Map<string, Voice>} by person */
    this.voices = new Map();
  }

  /** @param {CaptionEntry} entry @param {number} nowS */
  add(entry, nowS) {
    this.turn(nowS);
    const { participant_id: id, name } = entry;
    const known = this.voices.get(id);
    const before = known && !isRead(known, nowS) ? known.pages : [];
    const all = [...before, ...pagesOf(entry.text)];
    const pages = all.slice(-MOST_PAGES);
    if (!pages.length) return;
    const fromS = known && pages[0] === before[0] ? known.fromS : nowS;
    this.voices.set(id, { id, name, pages, fromS, spokeS: nowS });
    const oldest = [...this.voices.values()].sort((a, b) => a.spokeS - b.spokeS);
    for (const voice of oldest.slice(0, -MOST_VOICES)) this.voices.delete(voice.id);
  }

  /** In the order in which they began to speak. @param {number} nowS @returns {ShownCaption[]} */
  at(nowS) {
    this.turn(nowS);
    return [...this.voices.values()].map(({ id, name, pages }) => ({ id, name, lines: pages[0] ?? [] }));
  }

  /** When something else will be shown; null: when somebody speaks. @param {number} nowS */
  nextS(nowS) {
    this.turn(nowS);
    const ends = [...this.voices.values()].map(endS);
    return ends.length ? Math.min(...ends) : null;
  }

  clear() {
    this.voices.clear();
  }

  /** @private @param {number} nowS */
  turn(nowS) {
    for (const voice of this.voices.values()) {
      while (voice.pages.length && endS(voice) <= nowS) {
        voice.fromS = endS(voice);
        voice.pages.shift();
      }
      if (!voice.pages.length) this.voices.delete(voice.id);
    }
  }
}

/** Whether its last page only lingers. @param {Voice} voice @param {number} nowS */
function isRead({ pages, fromS }, nowS) {
  return pages.length === 1 && nowS >= fromS + readingS(pages[0] ?? []);
}

/** When its page makes way. @param {Voice} voice */
function endS({ pages, fromS }) {
  return fromS + readingS(pages[0] ?? []) + (pages.length > 1 ? 0 : LINGER_S);
}
