/** Who is in a strip that has no room for all: whoever speaks comes in, in place of the one who was silent longest. No DOM. */

export class Strip {
  constructor() {
    /** @type {string[]} */
    this.shown = [];
    /** @type {Map<string, number>} when each spoke last: larger is later */
    this.spoke = new Map();
    this.turns = 0;
  }

  /** @param {string} key */
  speaks(key) {
    if (key) this.spoke.set(key, ++this.turns);
  }

  /**
   * Nobody changes place without need.
   * @param {string[]} keys everyone who might be shown, in order
   * @param {number} room at least 1
   * @param {string} speaker "" for nobody
   * @param {string} own always shown, last
   */
  choose(keys, room, speaker, own) {
    const others = keys.filter((key) => key !== own);
    const seats = Math.max(1, room - (keys.length - others.length));
    const staying = this.shown.filter((key) => others.includes(key));
    const waiting = others.filter((key) => !staying.includes(key));
    this.shown = [...staying, ...waiting].slice(0, seats);
    if (others.includes(speaker) && !this.shown.includes(speaker)) this.shown[this.quietest()] = speaker;
    if (others.length <= seats) this.shown = others;
    return keys.includes(own) ? [...this.shown, own] : this.shown;
  }

  /** @private the index of the one who spoke longest ago; of those who never spoke, the last */
  quietest() {
    let quietest = 0;
    for (const [index, key] of this.shown.entries()) {
      if (this.spokeAt(key) <= this.spokeAt(this.shown[quietest] ?? "")) quietest = index;
    }
    return quietest;
  }

  /** @private @param {string} key */
  spokeAt(key) {
    return this.spoke.get(key) ?? 0;
  }
}
