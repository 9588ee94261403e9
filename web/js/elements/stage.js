import { h } from "../dom.js";
import { say } from "../i18n.js";
import { arrange, stripCapacity } from "../layout.js";
import { Spotlight } from "../spotlight.js";
import { remembered } from "../storage.js";
import { Strip } from "../strip.js";
import { ViewReport } from "../view-report.js";
import { isOn, Tile } from "./tile.js";

/** @typedef {import("../protocol.js").ParticipantInfo} ParticipantInfo */

const TINY_PX = 170;

/**
 * Everyone's picture and every shared screen, placed by arithmetic: no element ever moves in the tree, which would
 * interrupt its sound. Event: `vmeet-view` (detail: Picture[]) when other pictures are on the screen, or in other sizes.
 */
export class Stage extends HTMLElement {
  constructor() {
    super();
    /** @type {Map<string, Tile>} by the id of the person, or by `screenKey` of it */
    this.tiles = new Map();
    /** @type {Map<string, ParticipantInfo>} */
    this.people = new Map();
    this.me = "";
    this.speaker = "";
    this.output = remembered.device("speaker") ?? "";
    /** @type {MediaStreamTrack | null} */
    this.ownScreen = null;
    this.ownReturns = false; // whether the server sends the own camera back
    this.spotlight = new Spotlight();
    this.strip = new Strip();
    this.rest = h("button", { type: "button", class: "rest", hidden: true, "data-testid": "rest", onclick: () => this.showAll() });
    this.resizing = new ResizeObserver(() => this.place());
    this.view = new ViewReport(
      this,
      (tile, onScreen) => tile instanceof Tile && tile.setOnScreen(onScreen || tile === document.fullscreenElement),
      () => this.shown(),
      (pictures) => this.dispatchEvent(new CustomEvent("vmeet-view", { detail: pictures })),
    );
  }

  connectedCallback() {
    this.dataset.testid = "stage";
    this.append(this.rest);
    this.resizing.observe(this);
    this.view.start();
    this.addEventListener("vmeet-pin", (event) => event.target instanceof Tile && this.togglePin(event.target));
    this.addEventListener("resize", (event) => this.pictureResized(event.target), true); // of a video: it does not bubble
  }

  disconnectedCallback() {
    this.resizing.disconnect();
    this.view.stop();
    for (const tile of this.tiles.values()) tile.close();
  }

  /** @param {Iterable<ParticipantInfo>} people @param {string} me */
  show(people, me) {
    this.me = me;
    this.people = new Map([...people].map((person) => [person.id, person]));
    this.update();
  }

  /** @param {Map<string, import("../receiver.js").Heard>} heard */
  attach(heard) {
    for (const [key, tile] of this.tiles) {
      if (tile.own) continue;
      const arriving = heard.get(personOf(key));
      const screen = tile.source === "screen";
      tile.setVideo((screen ? arriving?.screen : arriving?.video) ?? null);
      tile.setPaused((screen ? arriving?.screenPaused : arriving?.paused) ?? false);
      if (!screen) tile.setAudio(arriving?.audio ?? null);
    }
  }

  /** The screen that this person shares. @param {MediaStreamTrack | null} track */
  setOwnScreen(track) {
    this.ownScreen = track;
    this.update();
  }

  /** Something that is not seen in the layout has changed what is to be sent. */
  refreshView() {
    this.view.refresh();
  }

  /** Tries again to play everyone, after a click. */
  playSound() {
    for (const tile of this.tiles.values()) tile.playSound();
  }

  /** @param {string} deviceId of the loudspeaker */
  setOutput(deviceId) {
    this.output = deviceId;
    for (const tile of this.tiles.values()) tile.setOutput(deviceId);
  }

  /** @param {string | null} id of the person who has the floor */
  setSpeaker(id) {
    this.speaker = id ?? "";
    this.strip.speaks(this.speaker);
    for (const [key, tile] of this.tiles) tile.setSpeaking(key === this.speaker);
    this.place();
  }

  /** @private */
  update() {
    const wanted = new Set(this.people.keys());
    for (const person of this.people.values()) if (this.sharesScreen(person)) wanted.add(screenKey(person.id));
    for (const key of [...this.tiles.keys()]) if (!wanted.has(key)) this.drop(key);
    for (const key of wanted) {
      const person = this.people.get(personOf(key));
      if (person) this.tileOf(key).setPerson(person, person.id === this.me);
    }
    this.tiles.get(screenKey(this.me))?.setVideo(this.ownScreen);
    const own = this.tiles.get(this.me);
    if (own) own.returns = this.ownReturns;
    this.place();
  }

  /** @private @param {ParticipantInfo} person */
  sharesScreen(person) {
    return person.id === this.me ? this.ownScreen !== null : isOn(person, "screen");
  }

  /** @private @param {string} key */
  tileOf(key) {
    const existing = this.tiles.get(key);
    if (existing) return existing;
    const tile = new Tile(key === personOf(key) ? "camera" : "screen");
    tile.output = this.output;
    tile.setSpeaking(key === this.speaker);
    this.tiles.set(key, tile);
    this.append(tile);
    this.view.observer.observe(tile);
    return tile;
  }

  /** @private @param {string} key */
  drop(key) {
    const tile = this.tiles.get(key);
    if (!tile) return;
    this.view.observer.unobserve(tile);
    tile.close();
    tile.remove();
    this.tiles.delete(key);
    this.spotlight.forget(key);
  }

  /** The screens of others, the latest last. @private */
  screens() {
    return [...this.tiles].filter(([, tile]) => tile.source === "screen" && !tile.own).map(([key]) => key);
  }

  /** @private @param {Tile} tile */
  togglePin(tile) {
    for (const [key, each] of this.tiles) if (each === tile) this.spotlight.toggle(key, this.screens());
    this.place();
  }

  /** @private */
  showAll() {
    this.spotlight.clear(this.screens());
    this.place();
  }

  /** @private @param {EventTarget | null} video */
  pictureResized(video) {
    const large = this.tiles.get(this.large());
    if (large?.source === "screen" && large.video === video) this.place();
  }

  /** @private */
  large() {
    return this.spotlight.large(this.screens());
  }

  /** The screens of others come first, the own pictures last. @private */
  ordered() {
    const rank = (/** @type {[string, Tile]} */ [, tile]) => (tile.own ? 2 : 0) + Number(tile.source !== "screen");
    return [...this.tiles].sort((a, b) => rank(a) - rank(b)).map(([key]) => key);
  }

  /** Everyone, or beside a large picture those for whom there is room. @private @param {import("../layout.js").Size} area
   *  @param {number | undefined} aspect */
  placed(area, aspect) {
    const [keys, large] = [this.ordered(), this.large()];
    if (!large) return keys;
    const others = keys.filter((key) => key !== large);
    const room = stripCapacity(others.length, area, aspect);
    return [large, ...this.strip.choose(others, room, this.speaker, this.me)];
  }

  /** @private */
  place() {
    const area = { width: this.clientWidth, height: this.clientHeight };
    if (!area.width || !this.tiles.size) return;
    const tile = this.tiles.get(this.large());
    const aspect = tile?.source === "screen" ? tile.aspect() : undefined;
    const keys = this.placed(area, aspect);
    const people = { count: keys.length, own: keys.indexOf(this.me), large: tile ? 0 : -1, aspect };
    const { rects, height } = arrange(people, area);
    this.toggleAttribute("data-scrolls", height > area.height + 1);
    for (const [key, each] of this.tiles) this.put(key, each, rects[keys.indexOf(key)]);
    this.showRest(this.tiles.size - keys.length, rects.at(-1));
    this.view.refresh();
  }

  /** @private @param {string} key @param {Tile} tile @param {import("../layout.js").Rect | undefined} rect */
  put(key, tile, rect) {
    tile.hidden = !rect;
    tile.setPinned(key === this.large());
    if (!rect) return;
    tile.classList.toggle("floating", key === this.me && this.tiles.size === 2 && !this.large());
    tile.classList.toggle("tiny", rect.width < TINY_PX);
    tile.rect = rect;
    for (const [name, value] of Object.entries({ left: rect.x, top: rect.y, width: rect.width, height: rect.height })) {
      tile.style.setProperty(name, `${Math.round(value)}px`);
    }
  }

  /** @private @param {number} count of those for whom there is no room @param {import("../layout.js").Rect | undefined} last */
  showRest(count, last) {
    this.rest.hidden = count <= 0;
    if (count <= 0 || !last) return;
    this.rest.style.setProperty("left", `${Math.round(last.x)}px`); // on the last picture, where it hides nothing
    this.rest.style.setProperty("top", `${Math.round(last.y)}px`);
    say(this.rest, "stage.rest", { count });
    say(this.rest, "stage.show-all", undefined, "tTitle");
  }

  /** The pictures that this page shows now and the server has. @private @returns {import("../view-report.js").Shown[]} */
  shown() {
    const large = this.large();
    const full = document.fullscreenElement;
    return [...this.tiles]
      .filter(([, tile]) => tile.wanted() && (!(full instanceof Tile) || full === tile))
      .map(([key, tile]) => {
        const { width, height } = full === tile ? { width: innerWidth, height: innerHeight } : tile.rect;
        const speaker = key === this.speaker;
        return { id: personOf(key), source: tile.source, width, height, large: key === large, speaker };
      });
  }
}

/** @param {string} id */
function screenKey(id) {
  return `${id}/screen`;
}

/** @param {string} key */
function personOf(key) {
  return key.replace(/\/screen$/, "");
}

customElements.define("vmeet-stage", Stage);
