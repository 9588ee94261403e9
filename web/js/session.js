/** One person's stay in a meeting: the socket, both peer connections, and who is there. No DOM. */

import { Publisher, Receiver } from "./peers.js";
import { Signalling, socketUrl } from "./protocol.js";

/** @typedef {import("./protocol.js").ParticipantInfo} ParticipantInfo */
/** @typedef {import("./protocol.js").RecordingInfo} RecordingInfo */
/** @typedef {import("./protocol.js").ServerMessage} ServerMessage */
/** @typedef {import("./local-media.js").LocalMedia} LocalMedia */
/** @typedef {import("./local-media.js").LocalKind} LocalKind */

/**
 * @typedef {"connecting" | "in" | "reconnecting" | "ended"} SessionState
 * @typedef {{code: string, message: string}} EndReason `code` is "left", "replaced" or that of a fatal error
 * @typedef {{code: string, message: string}} Trouble
 */

/** @type {LocalKind[]} */
const KINDS = ["microphone", "camera"];
const TRIES_BEFORE_BLAMING_THE_NETWORK = 3;

/**
 * Events (CustomEvent):
 * - `state`: SessionState; `ended`: EndReason; `trouble`: Trouble (not fatal)
 * - `welcome`: Welcome; `people`: nothing; `came`, `went`: ParticipantInfo; `recording`: RecordingChanged
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
    /** @type {Publisher | null} */
    this.publisher = null;
    /** @type {Receiver | null} */
    this.receiver = null;
    this.failures = 0;
    /** @type {Partial<Record<LocalKind, boolean>>} what the server was told last */
    this.told = {};
    this.signalling = new Signalling(socketUrl(meetingId), identity);
    this.signalling.addEventListener("message", (event) => this.receive(detail(event)));
    this.signalling.addEventListener("state", (event) => this.signallingChanged(detail(event)));
    this.onMediaChange = (/** @type {Event} */ event) => this.localChanged(detail(event));
    media.addEventListener("change", this.onMediaChange);
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

  /** Tracks of the others, by participant. */
  heard() {
    return this.receiver?.heard() ?? new Map();
  }

  /** @private @param {ServerMessage} message */
  receive(message) {
    switch (message.type) {
      case "welcome": return this.welcomed(message);
      case "published": return this.negotiate(this.publisher, this.publisher?.published(message.sdp));
      case "offer": return this.negotiate(this.receiver, this.receiver?.offered(message.sdp, message.negotiation));
      case "slots": return this.receiver?.assign(message.slots);
      case "participant": return this.personChanged(message.participant);
      case "participant-left": return this.personLeft(message.participant_id);
      case "recording":
        this.recording = message.recording;
        return this.emit("recording", message);
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
    this.connectPeers(/** @type {any[]} */ (welcome.ice_servers));
    this.setState("in");
    this.emit("welcome", welcome);
    this.emit("people");
  }

  /** Every welcome starts with fresh connections: the old ones belong to a socket that is gone. @private
   *  @param {RTCIceServer[]} iceServers */
  connectPeers(iceServers) {
    this.closePeers();
    const send = this.signalling.send.bind(this.signalling);
    const publisher = (this.publisher = new Publisher(send, iceServers));
    const receiver = (this.receiver = new Receiver(send, iceServers));
    receiver.addEventListener("media", () => this.emit("media"));
    for (const peer of [publisher, receiver]) {
      peer.addEventListener("failed", () => this.peerFailed());
      peer.addEventListener("state", (event) => detail(event) === "connected" && (this.failures = 0));
    }
    this.told = {};
    this.negotiate(publisher, this.publish(publisher));
  }

  /** @private @param {Publisher} publisher */
  async publish(publisher) {
    await Promise.all(KINDS.map((kind) => publisher.replace(kind, this.media[kind].track)));
    await publisher.offer();
    for (const kind of KINDS) this.tell(kind);
  }

  /** @private @param {LocalKind} kind */
  localChanged(kind) {
    if (!this.publisher) return;
    this.negotiate(this.publisher, this.publisher.replace(kind, this.media[kind].track));
    if (kind in this.told) this.tell(kind);
  }

  /** Tells the server whether a source is off: after a rejoin it may remember something else. @private
   *  @param {LocalKind} kind */
  tell(kind) {
    const on = this.media[kind].on;
    if (this.told[kind] !== on) this.signalling.send({ type: "mute", source: kind, muted: !on });
    this.told[kind] = on;
  }

  /** @private */
  peerFailed() {
    this.failures += 1;
    if (this.failures >= TRIES_BEFORE_BLAMING_THE_NETWORK) this.emit("blocked");
    this.signalling.restart();
  }

  /** Reports what went wrong, unless the connection was closed meanwhile. @private
   *  @param {Publisher | Receiver | null} peer @param {Promise<void> | undefined} work */
  negotiate(peer, work) {
    work?.catch((error) => {
      if (peer?.pc.signalingState === "closed") return;
      this.emit("trouble", { code: "media", message: String(error?.message ?? error) });
    });
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

  /** @private @param {import("./protocol.js").SignallingState} state */
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
    this.closePeers();
    this.emit("ended", { code: reason.code, message: reason.message });
  }

  /** @private */
  closePeers() {
    this.publisher?.close();
    this.receiver?.close();
    this.publisher = null;
    this.receiver = null;
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
