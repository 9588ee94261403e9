import { h } from "../dom.js";
import { isKey, say, t } from "../i18n.js";
import { icon } from "../icons.js";
import { LevelMeter, remoteLevel } from "../levels.js";
import { Session } from "../session.js";
import { actionOf } from "../shortcuts.js";
import { remembered } from "../storage.js";
import { confirmRecording, openDevices, openMeetingHelp, tellRecording } from "./meeting-dialogs.js";
import { Notices } from "./notices.js";
import { PeoplePanel } from "./people-panel.js";
import { RecordingBadge } from "./recording-badge.js";
import { Stage } from "./stage.js";
import { Toolbar } from "./toolbar.js";

/** @typedef {import("../local-media.js").LocalMedia} LocalMedia */
/** @typedef {import("../local-media.js").LocalKind} LocalKind */
/** @typedef {import("../protocol.js").ParticipantInfo} ParticipantInfo */

const LEVEL_PERIOD_MS = 120;
const STATISTICS_EVERY = 3; // level periods between two looks at the statistics, where nothing cheaper tells the level

/** The meeting itself. Event: `vmeet-ended` (detail: EndReason). */
export class Call extends HTMLElement {
  /** @param {string} [meetingId] @param {{name: string, token?: string | null, host_key?: string | null}} [identity]
   *  @param {LocalMedia} [media] */
  constructor(meetingId, identity, media) {
    super();
    this.meetingId = meetingId ?? "";
    this.identity = identity ?? { name: "" };
    this.media = media ?? null;
    /** @type {Session | null} */
    this.session = null;
    this.stage = new Stage();
    this.toolbar = new Toolbar();
    this.panel = new PeoplePanel();
    this.badge = new RecordingBadge();
    this.notices = new Notices();
    this.heading = h("h1", {});
    this.banner = h("div", { class: "banner", role: "status", "data-testid": "banner", hidden: true });
    this.hear = h("button", { type: "button", class: "primary hear", hidden: true, "data-testid": "hear" }, icon("sound"), h("span", { t: "call.hear" }));
    this.alone = this.aloneCard();
    /** @type {LevelMeter | null} */
    this.meter = null;
    /** @type {number | undefined} */
    this.timer = undefined;
    this.ticks = 0;
    this.told = false;
    this.onKey = (/** @type {KeyboardEvent} */ event) => this.key(event);
    this.onMedia = (/** @type {Event} */ event) => this.mediaChanged(/** @type {CustomEvent} */ (event).detail);
  }

  connectedCallback() {
    if (!this.media || this.session) return;
    this.build();
    this.session = new Session(this.meetingId, this.identity, this.media);
    this.listen(this.session, this.media);
    document.addEventListener("keydown", this.onKey);
    this.timer = setInterval(() => this.showLevels(), LEVEL_PERIOD_MS);
    this.mediaChanged("microphone");
    this.mediaChanged("camera");
    this.session.start();
    this.showState();
  }

  disconnectedCallback() {
    document.removeEventListener("keydown", this.onKey);
    this.media?.removeEventListener("change", this.onMedia);
    clearInterval(this.timer);
    this.meter?.close();
  }

  /** @private */
  build() {
    this.panel.hidden = true;
    const bar = h("header", { class: "call-bar" }, this.heading, this.badge);
    const main = h("div", { class: "call-main" }, h("div", { class: "call-stage" }, this.stage, this.alone), this.panel);
    this.append(bar, this.banner, main, this.hear, this.toolbar, this.notices);
  }

  /** @private */
  aloneCard() {
    const link = h("input", { type: "text", readonly: true, value: this.link(), tLabel: "call.link", class: "link" });
    link.addEventListener("focus", () => link.select());
    const copy = h("button", { type: "button", class: "primary", onclick: () => this.act("copy-link") }, icon("copy"), h("span", { t: "copy" }));
    const card = h("div", { class: "alone card", hidden: true, "data-testid": "alone" });
    card.append(h("h2", { t: "call.alone" }), h("p", { class: "muted", t: "call.alone-hint" }), h("div", { class: "row" }, link, copy));
    return card;
  }

  /** @private @param {Session} session @param {LocalMedia} media */
  listen(session, media) {
    /** @type {Record<string, (detail: any) => void>} */
    const handlers = {
      state: () => this.showState(),
      welcome: () => this.welcomed(session),
      people: () => this.showPeople(session),
      media: () => this.stage.attach(session.heard()),
      came: (person) => this.notices.show(t("call.came", { name: person.name })),
      went: (person) => this.notices.show(t("call.went", { name: person.name })),
      recording: (message) => this.recordingChanged(message),
      trouble: (trouble) => this.trouble(trouble),
      blocked: () => this.notices.show(t("call.blocked"), { tone: "warning", seconds: 20 }),
      ended: (reason) => this.dispatchEvent(new CustomEvent("vmeet-ended", { detail: reason })),
    };
    for (const [type, handle] of Object.entries(handlers)) {
      session.addEventListener(type, (event) => handle(/** @type {CustomEvent} */ (event).detail));
    }
    media.addEventListener("change", this.onMedia);
    const act = (/** @type {Event} */ event) => this.act(/** @type {CustomEvent} */ (event).detail);
    this.toolbar.addEventListener("vmeet-action", act);
    this.panel.addEventListener("vmeet-action", act);
    this.addEventListener("vmeet-silenced", () => (this.hear.hidden = false));
    this.hear.addEventListener("click", () => this.allowSound());
  }

  /** @private @param {Session} session */
  welcomed(session) {
    this.keepSeat();
    this.heading.textContent = session.title;
    document.title = `${session.title} · VMeet`;
    this.badge.show(session.recording);
    this.toolbar.setRecording(session.isHost, session.recording.active);
    if (session.recording.active && !this.told) tellRecording();
    this.told = session.recording.active;
  }

  /** So that a reload comes back as the same person, with the same devices. @private */
  keepSeat() {
    const { media, session } = this;
    if (!media || !session?.me || session.state === "ended") return;
    const { camera, microphone } = media;
    const seat = { token: session.token, name: this.identity.name, camera: camera.wanted, microphone: microphone.wanted };
    remembered.setSeat(this.meetingId, seat);
  }

  /** @private @param {Session} session */
  showPeople(session) {
    this.stage.show(session.people.values(), session.me);
    this.stage.attach(session.heard());
    this.panel.show(session.people.values(), session.me);
    this.toolbar.setPeople(session.people.size);
    this.toolbar.setRecording(session.isHost, session.recording.active);
    this.alone.hidden = session.people.size > 1;
    this.showOwn();
  }

  /** @private @param {LocalKind} kind */
  mediaChanged(kind) {
    if (!this.media) return;
    const { camera, microphone } = this.media;
    this.toolbar.setSources({ microphone: microphone.on, camera: camera.on });
    if (kind === "microphone" && microphone.track !== (this.meter?.track ?? null)) {
      this.meter?.close();
      this.meter = microphone.track && new LevelMeter(microphone.track);
    }
    const problem = this.media[kind].problem;
    if (problem) this.notices.show(t(`problem.${kind}-${problem}`), { tone: "warning", seconds: 10 });
    this.keepSeat();
    this.showOwn();
  }

  /** The own tile shows what is sent, at once. @private */
  showOwn() {
    const tile = this.session && this.stage.tiles.get(this.session.me);
    if (!tile || !this.media) return;
    tile.setVideo(this.media.camera.track);
    tile.setSources(this.media.microphone.on, this.media.camera.on);
  }

  /** @private */
  showState() {
    const state = this.session?.state ?? "connecting";
    this.dataset.state = state;
    this.banner.hidden = state === "in" || state === "ended";
    if (!this.banner.hidden) say(this.banner, state === "reconnecting" ? "call.reconnecting" : "call.connecting");
  }

  /** @private @param {import("../protocol.js").RecordingChanged} message */
  recordingChanged({ recording, reason }) {
    this.badge.show(recording);
    this.toolbar.setRecording(this.session?.isHost ?? false, recording.active);
    this.told = recording.active;
    const text = recording.active ? "recording.started" : reason ? "recording.stopped-itself" : "recording.stopped";
    this.notices.show(t(text), { tone: recording.active || reason ? "danger" : "info", detail: reason ?? "", seconds: 8 });
  }

  /** @private @param {import("../session.js").Trouble} trouble */
  trouble({ code, message }) {
    const key = `trouble.${code}`;
    this.notices.show(t(isKey(key) ? key : "trouble.internal"), { tone: "warning", detail: message, seconds: 10 });
  }

  /** @private @param {KeyboardEvent} event */
  key(event) {
    const action = actionOf(event);
    if (event.key === "Escape" && !this.panel.hidden) this.act("people");
    if (!action) return;
    event.preventDefault();
    this.act(action);
  }

  /** @param {import("./toolbar.js").ToolbarAction} action */
  act(action) {
    const { media, session } = this;
    if (!media || !session) return;
    switch (action) {
      case "microphone":
      case "camera":
        media.set(action, !media[action].on);
        this.keepSeat();
        break;
      case "people": this.togglePeople(); break;
      case "copy-link": this.copyLink(); break;
      case "devices": openDevices(media, (deviceId) => this.stage.setSpeaker(deviceId)); break;
      case "help": openMeetingHelp(); break;
      case "record": this.record(session); break;
      case "leave": session.leave(); break;
    }
  }

  /** @private @param {Session} session */
  async record(session) {
    const active = session.recording.active;
    if (session.isHost && (await confirmRecording(active))) session.controlRecording(active ? "stop" : "start");
  }

  /** @private */
  togglePeople() {
    this.panel.hidden = !this.panel.hidden;
    this.toolbar.people.setAttribute("aria-expanded", String(!this.panel.hidden));
    this.toolbar.people.classList.toggle("on", !this.panel.hidden);
  }

  /** @private */
  link() {
    return `${location.origin}/m/${encodeURIComponent(this.meetingId)}`;
  }

  /** @private */
  async copyLink() {
    try {
      await navigator.clipboard.writeText(this.link());
      this.notices.show(t("link-copied"), { tone: "good" });
    } catch {
      this.notices.show(this.link(), { seconds: 20 });
    }
  }

  /** @private */
  allowSound() {
    this.hear.hidden = true;
    this.stage.playSound();
  }

  /** @private */
  async showLevels() {
    const session = this.session;
    if (!session || document.hidden) return;
    this.stage.tiles.get(session.me)?.setLevel(this.meter?.read() ?? 0);
    let unknown = false;
    for (const [id, { audioReceiver }] of session.heard()) {
      const level = remoteLevel(audioReceiver);
      if (level === null) unknown = true;
      else this.stage.tiles.get(id)?.setLevel(level);
    }
    if (unknown && this.ticks++ % STATISTICS_EVERY === 0) await this.levelsFromStatistics(session);
  }

  /** @private @param {Session} session */
  async levelsFromStatistics(session) {
    for (const [id, { audio }] of (await session.receiver?.statistics()) ?? []) {
      this.stage.tiles.get(id)?.setLevel(audio?.audioLevel ?? 0);
    }
  }

  /**
   * What arrives from each of the others, by participant id.
   * @returns {Promise<Record<string, {name: string, framesDecoded: number, audioLevel: number, width: number, height: number,
   *   audioBytes: number, totalAudioEnergy: number}>>}
   */
  async stats() {
    const statistics = (await this.session?.receiver?.statistics()) ?? new Map();
    const entries = [...statistics].map(([id, { audio, video }]) => [
      id,
      {
        name: this.session?.people.get(id)?.name ?? "",
        framesDecoded: video?.framesDecoded ?? 0,
        width: video?.frameWidth ?? 0,
        height: video?.frameHeight ?? 0,
        audioLevel: audio?.audioLevel ?? 0,
        audioBytes: audio?.bytesReceived ?? 0,
        totalAudioEnergy: audio?.totalAudioEnergy ?? 0,
      },
    ]);
    return Object.fromEntries(entries);
  }
}

customElements.define("vmeet-call", Call);
