/** What was said in a recording, as the server writes it down. No DOM. */

import { formatClock } from "./i18n.js";

/** @typedef {import("./types.js").Job} Job */
/** @typedef {import("./types.js").Transcript} Transcript */
/** @typedef {import("./types.js").Utterance} Utterance */
/** @typedef {{index: number, from: number, to: number}} Match a place in the text of an utterance */

export const FORMATS = /** @type {const} */ (["docx", "md", "txt", "srt", "vtt", "json"]);
const COLOURS = 8;

/** Jobs that made a transcript, the newest first; of those that share one, the newest. @param {readonly Job[]} jobs */
export function transcribed(jobs) {
  const found = [...jobs].filter((job) => job.results.transcript).sort((a, b) => b.created_at_s - a.created_at_s);
  return found.filter((job, index) => found.findIndex((other) => other.results.transcript === job.results.transcript) === index);
}

/** The newest job that is to make a transcript, or should have; null where what is newest of them has one.
 *  @param {readonly Job[]} jobs */
export function transcribing(jobs) {
  const asked = [...jobs].filter((job) => job.request.transcriber).sort((a, b) => b.created_at_s - a.created_at_s)[0];
  return asked && !asked.results.transcript && !asked.missing?.includes("transcript") ? asked : null;
}

/** Those steps of a job that a transcript waits for, as far as they can be told from the others. @param {Job} job */
export function speechSteps(job) {
  const steps = job.steps.filter((step) => step.name === "transcribe" || step.name === "transcript");
  return steps.length ? steps : job.steps;
}

/** What is said, and when it is said at the latest before a time. */
export class Said {
  /** @param {Transcript} transcript */
  constructor(transcript) {
    this.transcript = transcript;
    this.utterances = transcript.utterances;
    this.people = Object.keys(transcript.people);
    this.longestS = Math.max(0, ...this.utterances.map((each) => each.end_s - each.start_s));
  }

  /** @param {string} person */
  name(person) {
    return this.transcript.people[person] ?? "";
  }

  /** The number of the person's colour. @param {string} person */
  colour(person) {
    return Math.max(0, this.people.indexOf(person)) % COLOURS;
  }

  /** What is being said at a time, or else what was said last: numbers of utterances, in order. @param {number} timeS */
  at(timeS) {
    const last = this.startedBefore(timeS) - 1;
    const found = [];
    for (let index = last; index >= 0 && this.startOf(index) >= timeS - this.longestS; index -= 1) {
      if ((this.utterances[index]?.end_s ?? 0) > timeS) found.unshift(index);
    }
    return found.length || last < 0 ? found : [last];
  }

  /** How many have begun at that time. @private @param {number} timeS */
  startedBefore(timeS) {
    let [low, high] = [0, this.utterances.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.startOf(middle) <= timeS) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** @private @param {number} index */
  startOf(index) {
    return this.utterances[index]?.start_s ?? 0;
  }

  /** When the word is said that a character of an utterance belongs to. @param {number} index @param {number} offset */
  timeOf(index, offset) {
    const utterance = this.utterances[index];
    if (!utterance) return 0;
    let place = 0;
    for (const word of utterance.words ?? []) {
      place += word.text.length;
      if (offset < place) return word.start_s;
    }
    return utterance.start_s;
  }

  /** Whether somebody else spoke before. @param {number} index */
  begins(index) {
    return this.utterances[index]?.person !== this.utterances[index - 1]?.person;
  }

  /** Case does not matter. @param {string} words @param {(person: string) => boolean} [shown] @returns {Match[]} */
  find(words, shown = () => true) {
    if (!words.trim()) return [];
    const wanted = new RegExp(words.trim().split(/\s+/).map((word) => word.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&")).join("\\s+"), "giu");
    return this.utterances.flatMap(({ person, text }, index) =>
      shown(person) ? [...text.matchAll(wanted)].map((found) => ({ index, from: found.index, to: found.index + found[0].length })) : [],
    );
  }

  /** To be pasted elsewhere. @param {(person: string) => boolean} [shown] */
  text(shown = () => true) {
    const lines = this.utterances.filter(({ person }) => shown(person)).map(({ person, start_s, text }) => {
      const name = this.name(person);
      return `[${formatClock(start_s)}] ${name ? `${name}：` : ""}${text}`;
    });
    return lines.join("\n");
  }
}
