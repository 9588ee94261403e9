/**
 * Signalling between this page and the server: JSON over the WebSocket `/api/meetings/{id}/socket`.
 * Mirrors vmeet_core/protocol.py; a test compares the two. Nothing here touches the document.
 */

/** @typedef {"microphone" | "camera" | "camera-small" | "screen"} SourceKind */
/** @typedef {"publish" | "receive"} Connection */

/**
 * @typedef {{type: "join", name: string, token?: string | null, host_key?: string | null}} Join
 * @typedef {{mid: string, source: SourceKind}} SourceSection
 * @typedef {{type: "publish", sdp: string, sources: SourceSection[]}} Publish
 * @typedef {{type: "answer", sdp: string, negotiation: number}} Answer
 * @typedef {{type: "candidate", connection: Connection, candidate: string, mid?: string | null}} Candidate
 * @typedef {{type: "mute", source: SourceKind, muted: boolean}} Mute
 * @typedef {{type: "recording-control", action: "start" | "stop"}} RecordingControl
 * @typedef {{type: "leave"}} Leave
 * @typedef {{type: "ping", number: number}} Ping
 * @typedef {Join | Publish | Answer | Candidate | Mute | RecordingControl | Leave | Ping} ClientMessage
 */

/**
 * @typedef {object} ParticipantInfo
 * @property {string} id
 * @property {string} name
 * @property {boolean} is_host
 * @property {"waiting" | "previewing" | "in" | "left"} state
 * @property {SourceKind[]} sources those published
 * @property {SourceKind[]} muted those turned off
 */
/** @typedef {{active: boolean, recording_id: string | null, started_at_s: number | null}} RecordingInfo */

/**
 * @typedef {object} Welcome
 * @property {"welcome"} type
 * @property {string} participant_id
 * @property {string} token lets this person come back as the same participant
 * @property {boolean} is_host
 * @property {string} meeting_id
 * @property {string} title
 * @property {ParticipantInfo[]} participants
 * @property {RecordingInfo} recording
 * @property {Record<string, string>[]} ice_servers
 * @property {number} heartbeat_s
 */
/**
 * @typedef {{audio_mid: string, video_mid: string, participant_id: string | null}} Slot
 * @typedef {{type: "published", sdp: string}} Published
 * @typedef {{type: "offer", sdp: string, negotiation: number}} Offer
 * @typedef {{type: "slots", slots: Slot[]}} Slots
 * @typedef {{type: "participant", participant: ParticipantInfo}} ParticipantChanged
 * @typedef {{type: "participant-left", participant_id: string, reason: "left" | "lost"}} ParticipantLeft
 * @typedef {{type: "recording", recording: RecordingInfo, reason: string | null}} RecordingChanged
 * @typedef {{type: "replaced", reason: string}} Replaced
 * @typedef {{type: "error", code: string, message: string, fatal: boolean}} ErrorMessage
 * @typedef {{type: "pong", number: number}} Pong
 * @typedef {Welcome | Published | Offer | Slots | ParticipantChanged | ParticipantLeft | RecordingChanged | Replaced
 *   | ErrorMessage | Pong} ServerMessage
 */

/** @type {ClientMessage["type"][]} */
export const CLIENT_MESSAGES = ["join", "publish", "answer", "candidate", "mute", "recording-control", "leave", "ping"];

/** @type {ServerMessage["type"][]} */
export const SERVER_MESSAGES = [
  "welcome", "published", "offer", "slots", "participant", "participant-left", "recording", "replaced", "error", "pong",
];

export const ERROR_CODES = [
  "bad-message", "too-large", "unknown-meeting", "bad-sdp", "not-joined", "not-host", "recording-failed", "full",
  "internal",
];

export const MAX_NAME_CHARS = 64;
const NOT_IN_NAMES = /[\p{Cc}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu;
const HEARTBEAT_S = 2;
const SILENT_HEARTBEATS = 3.5; // the server gives up on a page after 7 s; so does the page on the server
const FIRST_DELAY_S = 0.5;
const LONGEST_DELAY_S = 10;
const STABLE_S = 15;

/**
 * How long to wait before try number `attempt` (from 0): it doubles, is bounded, and spread by ±25 %, so that
 * pages that lost one server do not come back all at once.
 * @param {number} attempt
 * @param {number} [random] in [0, 1)
 */
export function backOffS(attempt, random = Math.random()) {
  const delay = Math.min(LONGEST_DELAY_S, FIRST_DELAY_S * 2 ** attempt);
  return delay * (0.75 + 0.5 * random);
}

/**
 * @param {string} meetingId
 * @param {{protocol: string, host: string}} [place]
 */
export function socketUrl(meetingId, place = location) {
  const scheme = place.protocol === "https:" ? "wss:" : "ws:";
  return `${scheme}//${place.host}/api/meetings/${encodeURIComponent(meetingId)}/socket`;
}

/**
 * @param {string} data
 * @returns {ServerMessage | null} null when this is no message that we know
 */
export function parseServerMessage(data) {
  try {
    const message = JSON.parse(data);
    return SERVER_MESSAGES.includes(message?.type) ? message : null;
  } catch {
    return null;
  }
}

/** A name as the server takes it: what it would refuse is left out. @param {string} text */
export function cleanName(text) {
  const characters = Array.from(text.normalize("NFC").replace(NOT_IN_NAMES, "").trim());
  return characters.slice(0, MAX_NAME_CHARS).join("").trim();
}

/** @typedef {"connecting" | "open" | "reconnecting" | "closed"} SignallingState */

/**
 * A socket that joins by itself, and again with the same token whenever it drops.
 *
 * Events: `message` (CustomEvent, detail: ServerMessage) and `state` (CustomEvent, detail: SignallingState).
 */
export class Signalling extends EventTarget {
  /**
   * @param {string} url
   * @param {{name: string, token?: string | null, host_key?: string | null}} identity
   */
  constructor(url, identity) {
    super();
    this.url = url;
    this.identity = identity;
    /** @type {SignallingState} */
    this.state = "closed";
    /** @type {WebSocket | null} */
    this.socket = null;
    this.attempt = 0;
    this.heartbeatS = HEARTBEAT_S;
    this.heardAt = 0;
    this.pings = 0;
    this.openedAt = 0;
    /** @type {number | undefined} */
    this.heartbeatTimer = undefined;
    /** @type {number | undefined} */
    this.retryTimer = undefined;
    this.retryNow = () => this.state === "reconnecting" && this.connect();
  }

  open() {
    globalThis.addEventListener?.("online", this.retryNow);
    this.setState("connecting");
    this.connect();
  }

  /** Says whether the message could be handed to an open socket. @param {ClientMessage} message */
  send(message) {
    if (this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }

  /** Drops the socket and joins again with the same token. */
  restart() {
    if (this.state === "closed") return;
    this.dropSocket();
    this.retry();
  }

  /** Says goodbye and stays away. */
  leave() {
    this.send({ type: "leave" });
    this.close();
  }

  close() {
    globalThis.removeEventListener?.("online", this.retryNow);
    this.dropSocket();
    this.setState("closed");
  }

  /** @private */
  connect() {
    clearTimeout(this.retryTimer);
    this.dropSocket();
    const socket = new WebSocket(this.url);
    this.socket = socket;
    socket.addEventListener("open", () => this.send({ type: "join", ...this.identity }));
    socket.addEventListener("message", (event) => this.receive(String(event.data)));
    socket.addEventListener("close", () => this.socket === socket && this.retry());
    this.heardAt = performance.now();
    this.startHeartbeat();
  }

  /** @private */
  startHeartbeat() {
    clearInterval(this.heartbeatTimer);
    this.heartbeatTimer = setInterval(() => this.beat(), this.heartbeatS * 1000);
  }

  /** @private @param {string} data */
  receive(data) {
    this.heardAt = performance.now();
    const message = parseServerMessage(data);
    if (!message) return;
    if (message.type === "welcome") this.welcomed(message);
    this.dispatchEvent(new CustomEvent("message", { detail: message }));
    if (message.type === "replaced" || (message.type === "error" && message.fatal)) this.close();
  }

  /** @private @param {Welcome} welcome */
  welcomed(welcome) {
    this.identity = { ...this.identity, token: welcome.token };
    this.heartbeatS = welcome.heartbeat_s || HEARTBEAT_S;
    this.startHeartbeat();
    this.openedAt = performance.now();
    this.setState("open");
  }

  /** @private */
  beat() {
    if (performance.now() - this.heardAt > SILENT_HEARTBEATS * this.heartbeatS * 1000) this.restart();
    else this.send({ type: "ping", number: ++this.pings });
  }

  /** @private */
  retry() {
    if (this.state === "closed") return;
    this.dropSocket();
    if (this.openedAt && performance.now() - this.openedAt > STABLE_S * 1000) this.attempt = 0;
    this.openedAt = 0;
    this.setState("reconnecting");
    clearTimeout(this.retryTimer);
    this.retryTimer = setTimeout(() => this.connect(), backOffS(this.attempt++) * 1000);
  }

  /** @private */
  dropSocket() {
    clearTimeout(this.retryTimer);
    clearInterval(this.heartbeatTimer);
    const socket = this.socket;
    this.socket = null;
    socket?.close();
  }

  /** @private @param {SignallingState} state */
  setState(state) {
    if (state === this.state) return;
    this.state = state;
    this.dispatchEvent(new CustomEvent("state", { detail: state }));
  }
}
