/** The socket to the server: it joins or previews by itself, and again with the same token whenever it drops. No DOM. */

import { onNetworkChange } from "./network-change.js";
import { parseServerMessage } from "./protocol.js";

/** @typedef {import("./protocol.js").ClientMessage} ClientMessage */
/** @typedef {"connecting" | "open" | "reconnecting" | "closed"} SignallingState */
/** @typedef {{name: string, token?: string | null, host_key?: string | null, recorded?: boolean | null, told?: boolean}} Identity */

const HEARTBEAT_S = 2;
const SILENT_HEARTBEATS = 3.5; // longer than TCP needs after an outage of 5 s, and soon enough to be back before the server gives up
const FIRST_DELAY_S = 0.5;
const LONGEST_DELAY_S = 10;
const STABLE_S = 15;
const CHECK_S = 3; // an answer to a ping that takes longer is none

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
 * A socket that joins by itself, and again with the same token whenever it drops.
 *
 * Events: `message` (CustomEvent, detail: ServerMessage) and `state` (CustomEvent, detail: SignallingState).
 */
export class Signalling extends EventTarget {
  /**
   * @param {string} url
   * @param {Identity | null} identity null: only previews, until `join`
   * @param {() => import("./protocol.js").EffectWishes | null} [effects] wished for now
   */
  constructor(url, identity, effects = () => null) {
    super();
    this.url = url;
    this.identity = identity;
    this.effects = effects;
    this.greeted = ""; // the effects in the latest greeting, as JSON
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
    this.stopWatching = () => {};
  }

  open() {
    this.stopWatching = onNetworkChange(() => this.networkChanged());
    this.setState("connecting");
    this.connect();
  }

  /** Comes in after a preview, on the same socket where there is one. @param {Identity} identity */
  join(identity) {
    this.identity = identity;
    if (this.state === "closed") this.open();
    else if (this.socket?.readyState === WebSocket.OPEN) this.greet();
    else if (this.state === "reconnecting") this.connect();
  }

  /** What the person says about being recorded from now on, also when the socket has to be opened again.
   *  @param {boolean} recorded */
  setRecorded(recorded) {
    if (this.identity) this.identity = { ...this.identity, recorded };
  }

  /** The first message, or the second after a preview; again when the server did not take its effects. */
  greet() {
    const effects = this.effects();
    this.greeted = JSON.stringify(effects);
    if (!this.identity) this.send({ type: "preview", effects });
    else this.send({ type: "join", ...this.identity, ...(effects ? { effects } : {}) });
  }

  /** Says whether the message could be handed to an open socket. @param {ClientMessage} message */
  send(message) {
    if (this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }

  /**
   * Whether the server answers: a ping is sent at once. When no answer comes in time, it is joined again.
   * @returns {Promise<boolean>}
   */
  async check() {
    const socket = this.socket;
    if (this.state !== "open" || !socket) return false;
    this.send({ type: "ping", number: ++this.pings });
    const answered = await heardWithin(socket, CHECK_S);
    if (!answered && this.socket === socket) this.restart();
    return answered && this.socket === socket;
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
    this.stopWatching();
    this.dropSocket();
    this.setState("closed");
  }

  /** @private */
  networkChanged() {
    if (this.state === "reconnecting") this.connect();
    else this.check();
  }

  /** @private */
  connect() {
    clearTimeout(this.retryTimer);
    this.dropSocket();
    const socket = new WebSocket(this.url);
    this.socket = socket;
    socket.addEventListener("open", () => this.greet());
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
    if (message.type === "previewing") this.opened(message);
    this.dispatchEvent(new CustomEvent("message", { detail: message }));
    if (message.type === "replaced" || (message.type === "error" && message.fatal)) this.close();
  }

  /** @private @param {import("./protocol.js").Welcome} welcome */
  welcomed(welcome) {
    if (this.identity) this.identity = { ...this.identity, token: welcome.token };
    if (this.identity?.told) this.identity = { ...this.identity, told: false }; // of a later recording nobody is told yet
    this.opened(welcome);
  }

  /** @private @param {{heartbeat_s: number}} answer */
  opened(answer) {
    this.heartbeatS = answer.heartbeat_s || HEARTBEAT_S;
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

/** @param {WebSocket} socket @param {number} seconds @returns {Promise<boolean>} */
function heardWithin(socket, seconds) {
  return new Promise((resolve) => {
    const settle = (/** @type {boolean} */ heard) => () => {
      clearTimeout(timer);
      socket.removeEventListener("message", onMessage);
      socket.removeEventListener("close", onClose);
      resolve(heard);
    };
    const [onMessage, onClose] = [settle(true), settle(false)];
    const timer = setTimeout(onClose, seconds * 1000);
    socket.addEventListener("message", onMessage);
    socket.addEventListener("close", onClose);
  });
}
