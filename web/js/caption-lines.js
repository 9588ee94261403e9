/** What is said, in lines and pages that can be read while somebody speaks. As in vmeet_core/media/caption_lines.py. No DOM. */

export const LINE_WIDTH = 16; // full-width characters; a Latin one is a half
export const LINES = 2;
const WIDTH_PER_S = 9; // who reads faster than this sees nothing else
const SHORTEST_S = 1.5;
const WIDE = /[\u1100-\u115f\u2018-\u201d\u2026\u2014\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]|[\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;
const OPENING = "「『（【《〈‘“(\\[{";
const CLOSING = "，。、；：？！…」』）】》〉’”％,.;:?!)\\]}%";
/** What is not torn: a Chinese character or a Latin word, with the punctuation that must not be apart from it. */
const UNIT = new RegExp(`[${OPENING}]*(?:[A-Za-z0-9\u00c0-\u024f'’_@#&/+-]+|\\S)[${CLOSING}]*\\s*`, "gu");

/** In full-width characters. @param {string} text */
export function widthOf(text) {
  return Array.from(text).reduce((sum, each) => sum + (WIDE.test(each) ? 1 : 0.5), 0);
}

/** @param {string} text @returns {string[]} lines of at most LINE_WIDTH */
export function linesOf(text) {
  /** @type {string[]} */
  const lines = [];
  let line = "";
  for (const unit of (text.match(UNIT) ?? []).flatMap(torn)) {
    if (line && widthOf((line + unit).trimEnd()) > LINE_WIDTH) {
      lines.push(line.trim());
      line = "";
    }
    line += unit;
  }
  if (line.trim()) lines.push(line.trim());
  return lines;
}

/** A word that is wider than a line has to be shown all the same. @param {string} unit */
function torn(unit) {
  if (widthOf(unit.trimEnd()) <= LINE_WIDTH) return [unit];
  const letters = Array.from(unit);
  const most = Math.floor(LINE_WIDTH);
  return Array.from({ length: Math.ceil(letters.length / most) }, (_, index) => letters.slice(index * most, (index + 1) * most).join(""));
}

/** Of LINES lines each. @param {string} text @returns {string[][]} */
export function pagesOf(text) {
  const lines = linesOf(text);
  const pages = [];
  for (let at = 0; at < lines.length; at += LINES) pages.push(lines.slice(at, at + LINES));
  return pages;
}

/** How long a page takes to read. @param {string[]} page */
export function readingS(page) {
  return Math.max(SHORTEST_S, page.reduce((sum, line) => sum + widthOf(line), 0) / WIDTH_PER_S);
}
