import { LevelMeter, shownLevel } from "../levels.js";

const PERIOD_MS = 66;

/** A bar that shows how loud the own microphone is. */
export class LevelBar extends HTMLElement {
  constructor() {
    super();
    /** @type {LevelMeter | null} */
    this.meter = null;
    /** @type {number | undefined} */
    this.timer = undefined;
  }

  connectedCallback() {
    this.setAttribute("role", "meter");
    this.setAttribute("aria-valuemin", "0");
    this.setAttribute("aria-valuemax", "100");
    this.dataset.testid = "level";
    this.timer = setInterval(() => this.show(), PERIOD_MS);
  }

  disconnectedCallback() {
    clearInterval(this.timer);
    this.listenTo(null);
  }

  /** @param {MediaStreamTrack | null} track */
  listenTo(track) {
    if (track === (this.meter?.track ?? null)) return;
    this.meter?.close();
    this.meter = track && new LevelMeter(track);
    this.show();
  }

  /** @private */
  show() {
    const level = shownLevel(this.meter?.read() ?? 0);
    this.style.setProperty("--level", level.toFixed(3));
    this.setAttribute("aria-valuenow", String(Math.round(level * 100)));
  }
}

customElements.define("vmeet-level", LevelBar);
