import { arrange } from "../layout.js";
import { remembered } from "../storage.js";
import { Tile } from "./tile.js";

/** @typedef {import("../protocol.js").ParticipantInfo} ParticipantInfo */

/** Everyone's picture, placed by arithmetic: no element ever moves in the tree, which would interrupt its sound. */
export class Stage extends HTMLElement {
  constructor() {
    super();
    /** @type {Map<string, Tile>} */
    this.tiles = new Map();
    this.pinned = "";
    this.me = "";
    this.observer = new ResizeObserver(() => this.place());
  }

  connectedCallback() {
    this.dataset.testid = "stage";
    this.observer.observe(this);
    this.addEventListener("vmeet-pin", (event) => event.target instanceof Tile && this.togglePin(event.target));
  }

  disconnectedCallback() {
    this.observer.disconnect();
    for (const tile of this.tiles.values()) tile.close();
  }

  /** @param {Iterable<ParticipantInfo>} people @param {string} me */
  show(people, me) {
    this.me = me;
    const gone = new Set(this.tiles.keys());
    for (const person of people) {
      gone.delete(person.id);
      this.tileOf(person.id).setPerson(person, person.id === me);
    }
    for (const id of gone) this.drop(id);
    this.place();
  }

  /** @param {Map<string, import("../peers.js").Heard>} heard */
  attach(heard) {
    for (const [id, tile] of this.tiles) {
      if (id === this.me) continue;
      tile.setVideo(heard.get(id)?.video ?? null);
      tile.setAudio(heard.get(id)?.audio ?? null);
    }
  }

  /** Tries again to play everyone, after a click. */
  playSound() {
    for (const tile of this.tiles.values()) if (tile.audio.srcObject) tile.playSound();
  }

  /** @param {string} deviceId of the speaker */
  setSpeaker(deviceId) {
    for (const tile of this.tiles.values()) tile.setSpeaker(deviceId);
  }

  /** @private @param {string} id */
  tileOf(id) {
    const existing = this.tiles.get(id);
    if (existing) return existing;
    const tile = new Tile();
    const speaker = remembered.device("speaker");
    if (speaker) tile.setSpeaker(speaker);
    this.tiles.set(id, tile);
    this.append(tile);
    return tile;
  }

  /** @private @param {string} id */
  drop(id) {
    const tile = this.tiles.get(id);
    tile?.close();
    tile?.remove();
    this.tiles.delete(id);
    if (this.pinned === id) this.pinned = "";
  }

  /** @private @param {Tile} tile */
  togglePin(tile) {
    const id = tile.dataset.participantId ?? "";
    this.pinned = this.pinned === id ? "" : id;
    this.place();
  }

  /** The own picture comes last. @private */
  ordered() {
    return [...this.tiles.keys()].sort((a, b) => Number(a === this.me) - Number(b === this.me));
  }

  /** @private */
  place() {
    const ids = this.ordered();
    const area = { width: this.clientWidth, height: this.clientHeight };
    if (!area.width || !ids.length) return;
    const people = { count: ids.length, own: ids.indexOf(this.me), pinned: ids.indexOf(this.pinned) };
    const { rects, height } = arrange(people, area);
    const floating = people.pinned < 0 && people.count === 2;
    this.toggleAttribute("data-scrolls", height > area.height + 1);
    for (const [index, id] of ids.entries()) {
      const tile = this.tiles.get(id);
      const rect = rects[index];
      if (!tile || !rect) continue;
      tile.setPinned(id === this.pinned);
      tile.classList.toggle("floating", floating && id === this.me);
      tile.classList.toggle("tiny", rect.width < 170);
      for (const [name, value] of Object.entries({ left: rect.x, top: rect.y, width: rect.width, height: rect.height })) {
        tile.style.setProperty(name, `${Math.round(value)}px`);
      }
    }
  }
}

customElements.define("vmeet-stage", Stage);
