/** One person's stay in a meeting, from the preview on: the socket, the media, and who is there. No DOM. */

import { MediaLinks } from "./media-links.js";
import { MAX_PICTURES } from "./protocol.js";
import { ScreenShare } from "./screen-share.js";
import { Signalling, socketUrl } from "./signalling.js";

/** @typedef {import("./protocol.js").ParticipantInfo} ParticipantInfo */
/** @typedef {import("./protocol.js").RecordingInfo} RecordingInfo */
/** @typedef {import("./protocol.js").ServerMessage} ServerMessage */
/** @typedef {import("./protocol.js").Picture} Picture */
/** @typedef {import("./local-media.js").LocalMedia} LocalMedia */
/** @typedef {import("./effect-control.js").EffectControl} EffectControl */
/** @typedef {import("./signalling.js").Identity} Identity */

/**
 * @typedef {"connecting" | "previewing" | "in" | "reconnecting" | "ended"} SessionState
 * @typedef {{code: string, message: string}} EndReason `code` is "left", "replaced" or that of a fatal error
 * @typedef {{code: string, message: string}} Trouble
 */

/**
 * Events (CustomEvent):
 * - `state`: SessionState; `ended`: EndReason; `trouble`: Trouble (not fatal)
 * - `welcome`: Welcome; `people`: nothing; `came`, `went`: ParticipantInfo; `recording`: RecordingChanged
 * - `captions`: nothing; they do otherwise, see `captions`; `caption`: CaptionEntry
 * - `speaker`: id of a participant, or null; `chat`: ChatEntry; `statistics`: Statistics
 * - `screen`: nothing; the own shared screen started or stopped: see `screenOn`
 * - `media`: nothing; tracks of someone changed: see `heard()`
 * - `blocked`: nothing; signalling works, media does not come through
 * - `own`: nothing; what comes back of the own picture may have changed: see `ownPicture()` and `effects`
 * - `preview-failed`: Trouble; joining may work all the same
 */
export class Session extends EventTarget {
  /**
   * @param {string} meetingId
   * @param {Identity | null} identity null: a preview, until `join`
   * @param {LocalMedia} media
   * @param {EffectControl | null} [effects] where the meeting has any
   */
  constructor(meetingId, identity, media, effects = null) {
    super();
    this.meetingId = meetingId;
    this.media = media;
    this.effects = effects;
    this.joining = identity !== null;
    this.me = "";
    this.previewId = ""; // what this page was before it joined
    /** @type {WebSocket | null} */
    this.previewSocket = null;
    this.previewFailed = false;
    this.token = identity?.token ?? "";
    this.isHost = false;
    /** @type {boolean | null} what this person says about being recorded; null: nothing */
    this.recorded = identity?.recorded ?? null;
    /** @type {import("./protocol.js").RecordingChoice} */
    this.recordingChoice = "everyone";
    this.title = "";
    /** @type {SessionState} */
    this.state = "connecting";
    /** @type {Map<string, ParticipantInfo>} everyone who is in, this person included */
    this.people = new Map();
    /** @type {RecordingInfo} */
    this.recording = { active: false, recording_id: null, started_at_s: null, started_by: null };
    /** @type {string | null} */
    this.speakerId = null;
    /** @type {import("./protocol.js").ChatEntry[]} what was written before the latest welcome */
    this.chatHistory = [];
    /** @type {import("./protocol.js").CaptionsInfo | null} where the meeting has any */
    this.captions = null;
    /** @type {import("./protocol.js").CaptionEntry[]} what was said before the latest welcome */
    this.said = [];
    /** @type {import("./protocol.js").StreamAccess | null} */
    this.streams = null;
    /** @type {Picture[] | null} what the page shows; null: it has not said so yet */
    this.view = null;
    /** @type {Map<object, Size>} in which sizes the own picture is shown outside of the view */
    this.ownSizes = new Map();
    this.screen = new ScreenShare();
    this.signalling = new Signalling(socketUrl(meetingId), identity, () => effects?.wishes() ?? null);
    const { microphone, camera } = media;
    this.links = new MediaLinks(this.signalling, { microphone, camera, screen: this.screen });
    this.onEffects = () => this.emit("own");
    this.onMediaChange = (/** @type {Event} */ event) => this.links.sourceChanged(detail(event));
    this.listen();
  }

  /** @private */
  listen() {
    this.signalling.addEventListener("message", (event) => this.receive(detail(event)));
    this.signalling.addEventListener("state", (event) => this.signallingChanged(detail(event)));
    this.media.addEventListener("change", this.onMediaChange);
    this.screen.addEventListener("change", () => this.screenChanged());
    this.screen.addEventListener("trouble", (event) => this.emit("trouble", { code: "screen", message: detail(event) }));
    for (const type of ["media", "trouble", "blocked"]) {
      this.links.addEventListener(type, (event) => this.emit(type, detail(event)));
    }
    this.links.addEventListener("media", () => this.emit("own"));
    for (const type of ["told", "wishes"]) this.effects?.addEventListener(type, this.onEffects);
  }

  start() {
    this.signalling.open();
  }

  /** From the preview into the meeting. @param {Identity} identity */
  join(identity) {
    if (this.state === "ended") return;
    this.joining = true;
    this.token = identity.token ?? "";
    this.recorded = identity.recorded ?? null;
    this.previewId = this.me || this.previewId;
    this.me = "";
    this.setState("connecting");
    this.signalling.join(identity);
  }

  leave() {
    this.signalling.leave();
    this.end({ code: "left", message: "" });
  }

  /** @param {"start" | "stop"} action */
  controlRecording(action) {
    this.signalling.send({ type: "recording-control", action });
  }

  /** Whether this person wants to be recorded. @param {boolean} recorded */
  chooseRecording(recorded) {
    this.recorded = recorded;
    this.signalling.setRecorded(recorded);
    this.signalling.send({ type: "recording-choice", recorded });
  }

  /** This person knows of the recording that runs. */
  recordingSeen() {
    if (this.leftOut === "unanswered") this.signalling.send({ type: "recording-seen" });
  }

  /** For the host. @param {string} id @param {boolean} leftOut */
  leaveOut(id, leftOut) {
    this.signalling.send({ type: "leave-out", participant_id: id, left_out: leftOut });
  }

  /** Who keeps this person out of recordings; null: nobody does. */
  get leftOut() {
    return this.people.get(this.me)?.left_out ?? null;
  }

  /** What this person speaks, for the captions; null: what the meeting says. @param {string | null} language */
  speak(language) {
    this.signalling.send({ type: "spoken-language", language });
  }

  /** Whether the message could be handed to the server. @param {string} text */
  sendChat(text) {
    return this.me !== "" && this.signalling.send({ type: "chat", text });
  }

  get screenOn() {
    return this.screen.on;
  }

  /** Asks which screen or window to share; to be called straight from a click. */
  shareScreen() {
    return this.screen.start();
  }

  stopScreen() {
    this.screen.stop();
  }

  /** Says which pictures the page shows now, the most important first: only these are sent. @param {Picture[]} pictures */
  setView(pictures) {
    this.view = pictures;
    this.sendView();
  }

  /** The own picture is shown somewhere besides, or no longer. @param {object} where @param {Size | null} size in device pixels */
  showOwn(where, size) {
    if (size) this.ownSizes.set(where, size);
    else if (!this.ownSizes.delete(where)) return;
    this.sendView();
  }

  /** Before the page has said what it shows, it gets everybody's picture: so nothing is said of the own one alone. @private */
  sendView() {
    const ready = this.state === "previewing" || (this.state === "in" && this.view !== null);
    if (ready) this.signalling.send({ type: "view", pictures: withOwn(this.view ?? [], this.me, [...this.ownSizes.values()]) });
  }

  /** Tracks of the others, by participant. */
  heard() {
    const heard = new Map(this.links.heard());
    for (const own of [this.me, this.previewId]) heard.delete(own);
    return heard;
  }

  /** What comes back of the own camera, as the others see it; null where nothing does. */
  ownPicture() {
    const heard = this.links.heard();
    return heard.get(this.me) ?? heard.get(this.previewId) ?? null;
  }

  get receiver() {
    return this.links.receiver;
  }

  /** @private @param {ServerMessage} message */
  receive(message) {
    switch (message.type) {
      case "welcome": return this.welcomed(message);
      case "previewing": return this.previewing(message);
      case "effects-changed": return this.effects?.told(message);
      case "published": return this.links.published(message.sdp);
      case "offer": return this.links.offered(message.sdp, message.negotiation);
      case "slots": return this.links.assign(message.slots);
      case "participant": return this.personChanged(message.participant);
      case "participant-left": return this.personLeft(message.participant_id);
      case "recording":
        this.recording = message.recording;
        return this.emit("recording", message);
      case "speaker": return this.speakerChanged(message.participant_id);
      case "chat-entry": return this.emit("chat", message.entry);
      case "captions":
        this.captions = message.captions;
        return this.emit("captions");
      case "caption": return this.emit("caption", message.entry);
      case "statistics":
        this.receiver?.cushion(message, performance.now());
        return this.emit("statistics", message);
      case "replaced": return this.end({ code: "replaced", message: message.reason });
      case "error": return this.failed(message);
      default: return undefined;
    }
  }

  /** @private @param {import("./protocol.js").ErrorMessage} error */
  failed(error) {
    if (error.code === "bad-effects" && !error.fatal && this.me) return this.effectsRefused(error);
    if (!this.joining) return this.endPreview(error);
    return error.fatal || !this.me ? this.end(error) : this.emit("trouble", error);
  }

  /** The others are in force. @private @param {Trouble} trouble */
  effectsRefused(trouble) {
    this.effects?.refused(trouble.message);
    if (this.joining) this.emit("trouble", trouble);
  }

  /** @private @param {import("./protocol.js").Previewing} answer */
  previewing(answer) {
    this.me = answer.participant_id;
    this.previewSocket = this.signalling.socket;
    this.links.start(/** @type {any[]} */ (answer.ice_servers), true);
    this.setState("previewing");
    this.followEffects();
    this.sendView();
  }

  /** @private @param {Trouble} trouble */
  endPreview({ code, message }) {
    this.signalling.leave();
    this.links.stop();
    this.me = "";
    this.previewFailed = true;
    this.effects?.forget();
    this.emit("preview-failed", { code, message });
    this.emit("own");
  }

  /** What this person wishes for goes to the server from now on. @private */
  followEffects() {
    const { effects, signalling } = this;
    if (!effects) return;
    effects.send = (wishes) => signalling.send({ type: "effects", effects: wishes });
    if (JSON.stringify(effects.wishes()) !== signalling.greeted) effects.again(); // changed since the server was greeted
  }

  /** @private @param {import("./protocol.js").Welcome} welcome */
  welcomed(welcome) {
    this.me = welcome.participant_id;
    this.token = welcome.token;
    this.isHost = welcome.is_host;
    this.title = welcome.title;
    this.recording = welcome.recording;
    this.recordingChoice = welcome.recording_choice ?? "everyone";
    this.people = new Map(welcome.participants.filter(isPresent).map((person) => [person.id, person]));
    this.chatHistory = welcome.chat ?? [];
    this.captions = welcome.captions ?? null;
    this.said = welcome.said ?? [];
    this.streams = welcome.streams ?? null;
    if (this.previewSocket && this.previewSocket === this.signalling.socket) this.links.enter();
    else this.links.start(/** @type {any[]} */ (welcome.ice_servers));
    this.previewSocket = null;
    this.setState("in");
    this.followEffects();
    this.sendView();
    this.emit("welcome", welcome);
    this.emit("people");
    this.speakerChanged(welcome.speaker_id ?? null);
  }

  /** @private @param {string | null} id */
  speakerChanged(id) {
    this.speakerId = id;
    this.emit("speaker", id);
  }

  /** @private */
  screenChanged() {
    this.links.sourceChanged("screen");
    this.emit("screen");
  }

  /** @private @param {ParticipantInfo} person */
  personChanged(person) {
    if (!isPresent(person)) return this.personLeft(person.id);
    const known = this.people.has(person.id);
    this.people.set(person.id, person);
    if (person.id === this.me) this.isHost = person.is_host;
    if (!known && person.id !== this.me) this.emit("came", person);
    return this.emit("people");
  }

  /** @private @param {string} id */
  personLeft(id) {
    const person = this.people.get(id);
    if (!person || id === this.me) return;
    this.people.delete(id);
    this.emit("went", person);
    this.emit("people");
  }

  /** @private @param {import("./signalling.js").SignallingState} state */
  signallingChanged(state) {
    if (state === "reconnecting" && this.state !== "ended") {
      this.setState(this.me && this.joining ? "reconnecting" : "connecting");
    }
  }

  /** @private @param {EndReason} reason */
  end(reason) {
    if (this.state === "ended") return;
    this.setState("ended");
    this.media.removeEventListener("change", this.onMediaChange);
    this.signalling.close();
    for (const type of ["told", "wishes"]) this.effects?.removeEventListener(type, this.onEffects);
    this.effects?.forget();
    this.screen.stop();
    this.links.close();
    this.emit("ended", { code: reason.code, message: reason.message });
  }

  /** @private @param {SessionState} state */
  setState(state) {
    this.state = state;
    this.emit("state", state);
  }

  /** @private @param {string} type @param {unknown} [payload] */
  emit(type, payload) {
    this.dispatchEvent(new CustomEvent(type, { detail: payload }));
  }
}

/** @param {ParticipantInfo} person */
function isPresent(person) {
  return person.state === "in";
}

/** @typedef {{width_px: number, height_px: number}} Size */

/** The view, with the own picture in the largest of the sizes in which it is shown. @param {Picture[]} pictures
 *  @param {string} me @param {Size[]} sizes */
function withOwn(pictures, me, sizes) {
  if (!sizes.length || !me) return pictures;
  const isOwn = (/** @type {Picture} */ { participant_id, source }) => participant_id === me && source === "camera";
  const all = [...sizes, ...pictures.filter(isOwn)];
  const width_px = Math.max(...all.map((size) => size.width_px));
  const height_px = Math.max(...all.map((size) => size.height_px));
  /** @type {Picture} */
  const own = { participant_id: me, source: "camera", width_px, height_px };
  return [...pictures.filter((each) => !isOwn(each)).slice(0, MAX_PICTURES - 1), own];
}

/** @param {Event} event */
function detail(event) {
  return /** @type {CustomEvent} */ (event).detail;
}
