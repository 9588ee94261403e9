/** One person's stay in a meeting: the socket, the media, and who is there. No DOM. */

import { MediaLinks } from "./media-links.js";
import { ScreenShare } from "./screen-share.js";
import { Signalling, socketUrl } from "./signalling.js";

/** @typedef {import("./protocol.js").ParticipantInfo} ParticipantInfo */
/** @typedef {import("./protocol.js").RecordingInfo} RecordingInfo */
/** @typedef {import("./protocol.js").ServerMessage} ServerMessage */
/** @typedef {import("./protocol.js").Picture} Picture */
/** @typedef {import("./local-media.js").LocalMedia} LocalMedia */

/**
 * @typedef {"connecting" | "in" | "reconnecting" | "ended"} SessionState
 * @typedef {{code: string, message: string}} EndReason `code` is "left", "replaced" or that of a fatal error
 * @typedef {{code: string, message: string}} Trouble
 */

/**
 * Events (CustomEvent):
 * - `state`: SessionState; `ended`: EndReason; `trouble`: Trouble (not fatal)
 * - `welcome`: Welcome; `people`: nothing; `came`, `went`: ParticipantInfo; `recording`: RecordingChanged
 * - `speaker`: id of a participant, or null; `chat`: ChatEntry; `statistics`: Statistics
 * - `screen`: nothing; the own shared screen started or stopped: see `screenOn`
 * - `media`: nothing; tracks of someone changed: see `heard()`
 * - `blocked`: nothing; signalling works, media does not come through
 */
export class Session extends EventTarget {
  /**
   * @param {string} meetingId
   * @param {{name: string, token?: string | null, host_key?: string | null}} identity
   * @param {LocalMedia} media
   */
  constructor(meetingId, identity, media) {
    super();
    this.media = media;
    this.me = "";
    this.token = identity.token ?? "";
    this.isHost = false;
    this.title = "";
    /** @type {SessionState} */
    this.state = "connecting";
    /** @type {Map<string, ParticipantInfo>} everyone who is in, this person included */
    this.people = new Map();
    /** @type {RecordingInfo} */
    this.recording = { active: false, recording_id: null, started_at_s: null };
    /** @type {string | null} */
    this.speakerId = null;
    /** @type {import("./protocol.js").ChatEntry[]} what was written before the latest welcome */
    this.chatHistory = [];
    /** @type {import("./protocol.js").StreamAccess | null} */
    this.streams = null;
    /** @type {Picture[] | null} what the page shows; null: it has not said so yet */
    this.view = null;
    this.screen = new ScreenShare();
    this.signalling = new Signalling(socketUrl(meetingId), identity);
    const { microphone, camera } = media;
    this.links = new MediaLinks(this.signalling, { microphone, camera, screen: this.screen });
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
  }

  start() {
    this.signalling.open();
  }

  leave() {
    this.signalling.leave();
    this.end({ code: "left", message: "" });
  }

  /** @param {"start" | "stop"} action */
  controlRecording(action) {
    this.signalling.send({ type: "recording-control", action });
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
    if (this.state === "in") this.signalling.send({ type: "view", pictures });
  }

  /** Tracks of the others, by participant. */
  heard() {
    return this.links.heard();
  }

  get receiver() {
    return this.links.receiver;
  }

  /** @private @param {ServerMessage} message */
  receive(message) {
    switch (message.type) {
      case "welcome": return this.welcomed(message);
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
      case "statistics":
        this.receiver?.cushion(message, performance.now());
        return this.emit("statistics", message);
      case "replaced": return this.end({ code: "replaced", message: message.reason });
      case "error": return message.fatal || !this.me ? this.end(message) : this.emit("trouble", message);
      default: return undefined;
    }
  }

  /** @private @param {import("./protocol.js").Welcome} welcome */
  welcomed(welcome) {
    this.me = welcome.participant_id;
    this.token = welcome.token;
    this.isHost = welcome.is_host;
    this.title = welcome.title;
    this.recording = welcome.recording;
    this.people = new Map(welcome.participants.filter(isPresent).map((person) => [person.id, person]));
    this.chatHistory = welcome.chat ?? [];
    this.streams = welcome.streams ?? null;
    this.links.start(/** @type {any[]} */ (welcome.ice_servers));
    this.setState("in");
    if (this.view) this.setView(this.view);
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
      this.setState(this.me ? "reconnecting" : "connecting");
    }
  }

  /** @private @param {EndReason} reason */
  end(reason) {
    if (this.state === "ended") return;
    this.setState("ended");
    this.media.removeEventListener("change", this.onMediaChange);
    this.signalling.close();
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

/** @param {Event} event */
function detail(event) {
  return /** @type {CustomEvent} */ (event).detail;
}
