/** Which picture is large: the one that this person chose, else the screen that was shared last. No DOM. */

export class Spotlight {
  constructor() {
    this.pinned = "";
    /** @type {Set<string>} screens that this person sent back to the grid */
    this.dismissed = new Set();
  }

  /** @param {string[]} screens keys of the screens of others, the latest last @returns {string} "" for none */
  large(screens) {
    return this.pinned || (screens.filter((key) => !this.dismissed.has(key)).at(-1) ?? "");
  }

  /** The pin of a picture was pressed. @param {string} key @param {string[]} screens */
  toggle(key, screens) {
    if (this.large(screens) !== key) {
      this.pinned = key;
      this.dismissed.delete(key);
      return;
    }
    this.pinned = "";
    if (screens.includes(key)) this.dismissed.add(key);
  }

  /** Back to the grid, whatever is large. @param {string[]} screens */
  clear(screens) {
    this.pinned = "";
    this.dismissed = new Set(screens);
  }

  /** A picture is gone. @param {string} key */
  forget(key) {
    if (this.pinned === key) this.pinned = "";
    this.dismissed.delete(key);
  }
}
