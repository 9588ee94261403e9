import { arriving } from "../arriving.js";
import { h } from "../dom.js";
import { isKey, say, t } from "../i18n.js";
import { icon } from "../icons.js";
import { ownPicture } from "../own-picture.js";
import { qualityOf } from "../quality.js";
import { Session } from "../session.js";
import { actionOf } from "../shortcuts.js";
import { remembered } from "../storage.js";
import { AloneCard } from "./alone-card.js";
import { CaptionControl } from "./caption-control.js";
import { CaptionOverlay } from "./caption-overlay.js";
import { CaptionsBadge } from "./captions-badge.js";
import { EffectNews, noteOf, ownNoteOf } from "./effect-news.js";
import { LevelWatch } from "./level-watch.js";
import { confirmRecording, openDevices, openMeetingHelp } from "./meeting-dialogs.js";
import { Notices } from "./notices.js";
import { RecordingBadge } from "./recording-badge.js";
import { RecordingNews } from "./recording-news.js";
import { ScreenControl } from "./screen-control.js";
import { SidePanels } from "./side-panels.js";
import { Stage } from "./stage.js";
import { openStatistics } from "./statistics-dialog.js";
import { openStreams } from "./stream-dialog.js";
import { Toolbar } from "./toolbar.js";

/** @typedef {import("../local-media.js").LocalMedia} LocalMedia */
/** @typedef {import("../local-media.js").LocalKind} LocalKind */
/** @typedef {import("../protocol.js").ParticipantInfo} ParticipantInfo */
/** @typedef {import("../protocol.js").Statistics} Statistics */

/** The meeting itself. Event: `vmeet-ended` (detail: EndReason). */
export class Call extends HTMLElement {
  /** @param {string} [meetingId] @param {import("../signalling.js").Identity} [identity] @param {Session} [session] that of
   *  the preview, or a new one */
  constructor(meetingId, identity, session) {
    super();
    this.meetingId = meetingId ?? "";
    this.identity = identity ?? { name: "" };
    this.session = session ?? null;
    this.media = session?.media ?? null;
    this.effects = session?.effects ?? null;
    this.built = false;
    this.stage = new Stage();
    this.toolbar = new Toolbar();
    this.badge = new RecordingBadge();
    this.captionsBadge = new CaptionsBadge();
    this.overlay = new CaptionOverlay();
    this.notices = new Notices();
    this.panels = new SidePanels(this.toolbar, this.notices, session);
    this.heading = h("h1", {});
    this.banner = h("div", { class: "banner", role: "status", "data-testid": "banner", hidden: true });
    this.hear = h("button", { type: "button", class: "primary hear", hidden: true, "data-testid": "hear" }, icon("sound"), h("span", { t: "call.hear" }));
    this.alone = new AloneCard(this.link());
    /** @type {LevelWatch | null} */
    this.levels = null;
    /** @type {Statistics | null} */
    this.statistics = null;
    /** @type {ScreenControl | null} */
    this.screen = null;
    this.onKey = (/** @type {KeyboardEvent} */ event) => this.key(event);
    this.onMedia = (/** @type {Event} */ event) => this.mediaChanged(/** @type {CustomEvent} */ (event).detail);
  }

  connectedCallback() {
    const { media, session } = this;
    if (!media || !session || this.built) return;
    this.built = true;
    this.build();
    this.levels = new LevelWatch(session, this.stage);
    this.screen = new ScreenControl(session, this.toolbar, this.notices);
    if (this.effects) this.news = new EffectNews(this.effects, this.toolbar, this.notices, this.panels.effects);
    this.recordings = new RecordingNews(session, this.badge, this.notices);
    this.panels.follow(session);
    this.captions = this.controlCaptions(session);
    this.listen(session, media);
    this.listenToPage();
    document.addEventListener("keydown", this.onKey);
    this.mediaChanged("microphone");
    this.mediaChanged("camera");
    session.join(this.identity);
    this.showState();
  }

  disconnectedCallback() {
    document.removeEventListener("keydown", this.onKey);
    this.media?.removeEventListener("change", this.onMedia);
    this.levels?.close();
    this.news?.close();
  }

  /** @private */
  build() {
    this.alone.hidden = true;
    const { people, chat, effects, said } = this.panels;
    this.stage.ownReturns = Boolean(this.effects?.offer.filters.length);
    this.toolbar.setEffects(Boolean(this.effects?.offers.length));
    const bar = h("header", { class: "call-bar" }, this.heading, this.captionsBadge, this.badge);
    const main = h("div", { class: "call-main" }, h("div", { class: "call-stage" }, this.stage, this.overlay, this.alone), people, chat, effects, said);
    this.append(bar, this.banner, main, this.hear, this.toolbar, this.notices);
  }

  /** @private @param {Session} session @param {LocalMedia} media */
  listen(session, media) {
    /** @type {Record<string, (detail: any) => void>} */
    const handlers = {
      state: () => this.showState(),
      welcome: () => this.welcomed(session),
      people: () => this.showPeople(session),
      media: () => this.stage.attach(session.heard()),
      own: () => this.showOwn(),
      came: (person) => this.notices.show(t("call.came", { name: person.name })),
      went: (person) => this.notices.show(t("call.went", { name: person.name })),
      speaker: (id) => this.showSpeaker(id),
      statistics: (statistics) => this.measured(statistics),
      screen: () => this.stage.setOwnScreen(session.screen.track),
      recording: () => this.showPeople(session),
      trouble: (trouble) => this.trouble(trouble),
      blocked: () => this.notices.show(t("call.blocked"), { tone: "warning", seconds: 20 }),
      ended: (reason) => this.dispatchEvent(new CustomEvent("vmeet-ended", { detail: reason })),
    };
    for (const [type, handle] of Object.entries(handlers)) {
      session.addEventListener(type, (event) => handle(/** @type {CustomEvent} */ (event).detail));
    }
    media.addEventListener("change", this.onMedia);
  }

  /** @private */
  listenToPage() {
    const act = (/** @type {Event} */ event) => this.act(/** @type {CustomEvent} */ (event).detail);
    const { people, chat, effects, said } = this.panels;
    for (const element of [this.toolbar, people, chat, effects, said, this.alone]) element.addEventListener("vmeet-action", act);
    people.addEventListener("vmeet-consent", (event) => this.decide(/** @type {CustomEvent} */ (event).detail));
    this.stage.addEventListener("vmeet-view", (event) => this.session?.setView(/** @type {CustomEvent} */ (event).detail));
    this.addEventListener("vmeet-silenced", () => (this.hear.hidden = false));
    this.hear.addEventListener("click", () => this.allowSound());
  }

  /** @private @param {Session} session */
  controlCaptions(session) {
    const { overlay, captionsBadge: badge, toolbar, notices, panels } = this;
    return new CaptionControl(session, { overlay, badge, panel: panels.said, toolbar, notices, open: () => panels.open("said") });
  }

  /** @private @param {Session} session */
  welcomed(session) {
    this.keepSeat();
    this.heading.textContent = session.title;
    document.title = `${session.title} · VMeet`;
    this.showRole(session);
  }

  /** What only a host may do. @private @param {Session} session */
  showRole(session) {
    this.toolbar.setRecording(session.isHost, session.recording.active);
    this.toolbar.setStreams(session.isHost && session.streams !== null);
  }

  /** So that a reload comes back as the same person, with the same devices. @private */
  keepSeat() {
    const { media, session } = this;
    if (!media || !session?.me || session.state === "ended") return;
    const { camera, microphone } = media;
    const { token, recorded } = session;
    const seat = { token, name: this.identity.name, camera: camera.wanted, microphone: microphone.wanted, recorded };
    remembered.setSeat(this.meetingId, seat);
  }

  /** @private @param {Session} session */
  showPeople(session) {
    this.stage.show(session.people.values(), session.me);
    this.stage.attach(session.heard());
    const { isHost, recordingChoice: choice, recording } = session;
    this.panels.people.show(session.people.values(), session.me, { isHost, choice, active: recording.active });
    this.toolbar.setPeople(session.people.size);
    this.showRole(session);
    this.alone.hidden = session.people.size > 1;
    for (const person of session.people.values()) {
      this.stage.tiles.get(person.id)?.setLeftOut(recording.active && Boolean(person.left_out));
      if (person.id !== session.me) this.stage.tiles.get(person.id)?.setNote(noteOf(person, this.effects), { name: person.name });
    }
    this.showOwn();
    this.keepSeat(); // with what this person says about being recorded
  }

  /** @private @param {import("./person-row.js").ConsentWish} wish */
  decide({ id, by, recorded }) {
    if (by === "self") this.session?.chooseRecording(recorded);
    else this.session?.leaveOut(id, !recorded);
  }

  /** @private @param {string | null} id */
  showSpeaker(id) {
    this.panels.people.setSpeaker(id);
    this.stage.setSpeaker(id);
  }

  /** @private @param {Statistics} statistics */
  measured(statistics) {
    this.statistics = statistics;
    const qualities = new Map(statistics.people.map((person) => [person.participant_id, qualityOf(person)]));
    this.panels.people.setQualities(qualities);
    for (const [id, tile] of this.stage.tiles) tile.setQuality(qualities.get(id) ?? 0);
  }

  /** @private @param {LocalKind} kind */
  mediaChanged(kind) {
    if (!this.media) return;
    const { camera, microphone } = this.media;
    this.toolbar.setSources({ microphone: microphone.on, camera: camera.on });
    this.levels?.listenTo(microphone.track);
    const problem = this.media[kind].problem;
    if (problem) this.notices.show(t(`problem.${kind}-${problem}`), { tone: "warning", seconds: 10 });
    this.keepSeat();
    this.showOwn();
  }

  /** The own tile shows what the others get, at once. @private */
  showOwn() {
    const { media, session } = this;
    const tile = session && this.stage.tiles.get(session.me);
    if (!tile || !media) return;
    const own = ownPicture(media, session);
    tile.setVideo(own.received ?? (own.secret ? null : own.local));
    tile.setPaused(own.received !== null && own.paused);
    tile.classList.toggle("as-it-is", own.received !== null && !own.mirrored);
    tile.setNote(media.camera.on ? ownNoteOf(this.effects) : null);
    tile.setSources(media.microphone.on, media.camera.on);
    this.stage.refreshView();
  }

  /** @private */
  showState() {
    const state = this.session?.state ?? "connecting";
    this.dataset.state = state;
    this.banner.hidden = state === "in" || state === "ended";
    if (!this.banner.hidden) say(this.banner, state === "reconnecting" ? "call.reconnecting" : "call.connecting");
  }

  /** @private @param {import("../session.js").Trouble} trouble */
  trouble({ code, message }) {
    const key = `trouble.${code}`;
    this.notices.show(t(isKey(key) ? key : "trouble.internal"), { tone: "warning", detail: message, seconds: 10 });
  }

  /** @private @param {KeyboardEvent} event */
  key(event) {
    const action = actionOf(event);
    if (event.key === "Escape" && !event.isComposing && !document.querySelector("dialog[open]")) this.escape();
    if (!action) return;
    event.preventDefault();
    this.act(action);
  }

  /** @private */
  escape() {
    if (this.toolbar.toggleMore(false)) return this.toolbar.more.focus();
    return this.panels.open(null);
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
      case "screen": this.screen?.toggle(); break;
      case "chat":
      case "people": this.panels.toggle(action); break;
      case "effects": if (this.effects?.offers.length) this.panels.toggle(action); break;
      case "captions": this.captions?.toggle(); break;
      case "said": if (session.captions) this.panels.toggle(action); break;
      case "statistics": openStatistics(session, this.statistics); break;
      case "streams": this.streams(session); break;
      case "copy-link": this.copyLink(); break;
      case "devices": openDevices(session, (deviceId) => this.stage.setOutput(deviceId)); break;
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

  /** @private @param {Session} session */
  streams(session) {
    if (session.isHost && session.streams) openStreams(session.streams);
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

  /** See `arriving`. */
  async stats() {
    return this.session ? arriving(this.session) : {};
  }
}

customElements.define("vmeet-call", Call);
