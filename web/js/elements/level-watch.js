import { LevelMeter, remoteLevel } from "../levels.js";

/** @typedef {import("../session.js").Session} Session */
/** @typedef {import("./stage.js").Stage} Stage */

const PERIOD_MS = 120;
const STATISTICS_EVERY = 3; // periods between two looks at the statistics, where nothing cheaper tells the level

/** Shows on the tiles how loud everyone is. */
export class LevelWatch {
  /** @param {Session} session @param {Stage} stage */
  constructor(session, stage) {
    this.session = session;
    this.stage = stage;
    /** @type {LevelMeter | null} */
    this.meter = null;
    this.ticks = 0;
    this.timer = setInterval(() => this.look(), PERIOD_MS);
  }

  /** @param {MediaStreamTrack | null} track of the own microphone */
  listenTo(track) {
    if (track === (this.meter?.track ?? null)) return;
    this.meter?.close();
    this.meter = track && new LevelMeter(track);
  }

  close() {
    clearInterval(this.timer);
    this.meter?.close();
  }

  /** @private */
  async look() {
    if (document.hidden) return;
    this.stage.tiles.get(this.session.me)?.setLevel(this.meter?.read() ?? 0);
    let unknown = false;
    for (const [id, { audioReceiver }] of this.session.heard()) {
      const level = remoteLevel(audioReceiver);
      if (level === null) unknown = true;
      else this.stage.tiles.get(id)?.setLevel(level);
    }
    if (unknown && this.ticks++ % STATISTICS_EVERY === 0) await this.fromStatistics();
  }

  /** @private */
  async fromStatistics() {
    for (const [id, { audio }] of (await this.session.receiver?.statistics()) ?? []) {
      if (id !== this.session.me) this.stage.tiles.get(id)?.setLevel(audio?.audioLevel ?? 0);
    }
  }
}
