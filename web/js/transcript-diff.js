/** Two transcripts of one recording, side by side. No DOM. */

/** @typedef {import("./transcript.js").Said} Said */
/** @typedef {import("./types.js").Utterance} Utterance */
/** @typedef {{text: string, same: boolean}} Piece */
/** @typedef {{person: string, startS: number, sides: [Piece[], Piece[]], same: number, count: number}} Row */

const LONGEST_S = 60; // so that a row can be read, and compared quickly
const SLACK_S = 0.3; // what lies closer may be cut at another place
const MOST_CELLS = 4e6;

/** What each person said at a time, with what differs; in order of time. @param {Said} one @param {Said} other
 *  @returns {Row[]} */
export function compared(one, other) {
  const people = [...new Set([...one.people, ...other.people])];
  const rows = people.flatMap((person) => {
    const all = [one, other].flatMap((said, side) => said.utterances.filter((each) => each.person === person).map((each) => ({ side, each })));
    return together(all.sort((a, b) => a.each.start_s - b.each.start_s)).map((group) => row(person, group));
  });
  return rows.sort((a, b) => a.startS - b.startS);
}

/** @param {{side: number, each: Utterance}[]} all @returns {{side: number, each: Utterance}[][]} */
function together(all) {
  /** @type {{side: number, each: Utterance}[][]} */
  const groups = [];
  let [fromS, untilS] = [0, -Infinity];
  for (const said of all) {
    const { start_s, end_s } = said.each;
    if (!groups.length || start_s > untilS - SLACK_S || start_s > fromS + LONGEST_S) {
      groups.push([]);
      [fromS, untilS] = [start_s, end_s];
    }
    groups.at(-1)?.push(said);
    untilS = Math.max(untilS, end_s);
  }
  return groups;
}

/** @param {string} person @param {{side: number, each: Utterance}[]} group @returns {Row} */
function row(person, group) {
  const texts = [0, 1].map((side) => group.filter((said) => said.side === side).map(({ each }) => each.text).join(" "));
  const [one = "", other = ""] = texts;
  const [left, right] = [signs(one), signs(other)];
  const [inLeft, inRight] = common(left.map(({ sign }) => sign), right.map(({ sign }) => sign));
  const count = Math.max(left.length, right.length);
  return {
    person,
    startS: group[0]?.each.start_s ?? 0,
    sides: [pieces(one, left, inLeft), pieces(other, right, inRight)],
    same: inLeft.filter(Boolean).length,
    count,
  };
}

/** Letters and characters with their places: punctuation and spaces do not count. @param {string} text */
function signs(text) {
  return [...text.matchAll(/[\p{L}\p{N}]/gu)].map((found) => ({ sign: found[0].toLowerCase(), at: found.index, length: found[0].length }));
}

/** Which of each belong to the longest sequence that both have. @param {string[]} one @param {string[]} other
 *  @returns {[boolean[], boolean[]]} */
function common(one, other) {
  /** @type {[boolean[], boolean[]]} */
  const found = [one.map(() => false), other.map(() => false)];
  const width = other.length + 1;
  if ((one.length + 1) * width > MOST_CELLS) return found;
  const lengths = new Uint16Array((one.length + 1) * width);
  const at = (/** @type {number} */ i, /** @type {number} */ j) => lengths[i * width + j] ?? 0;
  for (let i = one.length - 1; i >= 0; i -= 1) {
    for (let j = other.length - 1; j >= 0; j -= 1) {
      lengths[i * width + j] = one[i] === other[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  for (let i = 0, j = 0; i < one.length && j < other.length; ) {
    if (one[i] === other[j]) [found[0][i++], found[1][j++]] = [true, true];
    else if (at(i + 1, j) >= at(i, j + 1)) i += 1;
    else j += 1;
  }
  return found;
}

/** @param {string} text @param {{at: number, length: number}[]} places @param {boolean[]} same @returns {Piece[]} */
function pieces(text, places, same) {
  /** @type {Piece[]} */
  const found = [];
  const add = (/** @type {string} */ piece, /** @type {boolean} */ isSame) => {
    const last = found.at(-1);
    if (last && last.same === isSame) last.text += piece;
    else if (piece) found.push({ text: piece, same: isSame });
  };
  let place = 0;
  places.forEach(({ at, length }, index) => {
    add(text.slice(place, at), true);
    add(text.slice(at, at + length), same[index] ?? true);
    place = at + length;
  });
  add(text.slice(place), true);
  return found;
}
