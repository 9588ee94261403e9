/** Both peer connections of a stay, and their life: each is replaced alone when it no longer carries anything. No DOM. */

import { onNetworkChange } from "./network-change.js";
import { Publisher } from "./publisher.js";
import { Receiver } from "./receiver.js";

/** @typedef {import("./publisher.js").PublishedKind} PublishedKind */
/** @typedef {{on: boolean, track: MediaStreamTrack | null}} Source */
/** @typedef {import("./peer.js").Peer} Peer */

/** @type {PublishedKind[]} */
const KINDS = ["microphone", "camera", "screen"];
/** @type {readonly PublishedKind[]} what a page sends that is not in the meeting yet: what it is shown of itself */
const PREVIEWED = ["camera"];
/** @type {Source} */
const NOTHING = { on: false, track: null };
const TRIES_BEFORE_BLAMING_THE_NETWORK = 3;

/**
 * Events (CustomEvent):
 * - `media`: nothing; tracks of someone changed: see `heard()`
 * - `trouble`: {code, message}; something could not be negotiated
 * - `blocked`: nothing; signalling works, media does not come through
 */
export class MediaLinks extends EventTarget {
  /** @param {import("./signalling.js").Signalling} signalling @param {Record<PublishedKind, Source>} sources */
  constructor(signalling, sources) {
    super();
    this.signalling = signalling;
    this.sources = sources;
    this.send = signalling.send.bind(signalling);
    /** @type {RTCIceServer[]} */
    this.iceServers = [];
    /** @type {Publisher | null} */
    this.publisher = null;
    /** @type {Receiver | null} */
    this.receiver = null;
    /** @type {Receiver | null} what was seen last stays until its successor carries something */
    this.fading = null;
    this.failures = 0;
    /** @type {Partial<Record<PublishedKind, boolean>>} what the server was told last */
    this.told = {};
    this.previewing = false;
    this.stopWatching = onNetworkChange(() => this.peers().forEach((peer) => peer.hurry()));
  }

  /** Every welcome starts with fresh connections: the old ones belong to a socket that is gone.
   *  @param {RTCIceServer[]} iceServers @param {boolean} [previewing] nobody else is to see or hear anything yet */
  start(iceServers, previewing = false) {
    this.iceServers = iceServers;
    this.previewing = previewing;
    this.told = {};
    this.renewReceiver();
    this.renewPublisher();
  }

  /** From the preview into the meeting on the same socket: what is published goes on, and the rest is added. */
  enter() {
    const published = KINDS.filter((kind) => kind in this.told);
    this.previewing = false;
    this.told = {};
    this.renewReceiver();
    const { publisher } = this;
    if (!publisher) return;
    for (const kind of KINDS) this.negotiate(publisher, publisher.replace(kind, this.sources[kind].track));
    for (const kind of published) this.tell(kind); // of the others it is told once they are published
  }

  close() {
    this.stopWatching();
    this.stop();
  }

  /** Until it is started again. */
  stop() {
    for (const peer of [this.publisher, this.receiver, this.fading]) peer?.close();
    this.publisher = this.receiver = this.fading = null;
  }

  /** Tracks of the others, by participant. */
  heard() {
    return (this.fading ?? this.receiver)?.heard() ?? new Map();
  }

  /** @param {string} sdp */
  published(sdp) {
    this.negotiate(this.publisher, this.publisher?.published(sdp));
  }

  /** An offer from another connection of the server needs one here as well. @param {string} sdp @param {number} negotiation */
  offered(sdp, negotiation) {
    if (this.receiver && !this.receiver.fits(sdp)) this.renewReceiver();
    this.negotiate(this.receiver, this.receiver?.offered(sdp, negotiation));
  }

  /** @param {import("./protocol.js").Slot[]} slots */
  assign(slots) {
    this.receiver?.assign(slots);
  }

  /** A source was turned off or on, or has another track. @param {PublishedKind} kind */
  sourceChanged(kind) {
    if (!this.publisher) return;
    this.negotiate(this.publisher, this.publisher.replace(kind, this.sourceOf(kind).track));
    if (kind in this.told) this.tell(kind);
  }

  /** @private @returns {Peer[]} */
  peers() {
    return [this.publisher, this.receiver].filter((peer) => peer !== null);
  }

  /** @private */
  renewPublisher() {
    this.publisher?.close();
    const publisher = (this.publisher = new Publisher(this.send, this.iceServers));
    this.watch(publisher);
    this.negotiate(publisher, this.publish(publisher));
  }

  /** @private */
  renewReceiver() {
    if (this.fading) this.receiver?.close();
    else this.fading = this.receiver;
    const receiver = (this.receiver = new Receiver(this.send, this.iceServers));
    this.watch(receiver);
    receiver.addEventListener("media", () => this.receiver === receiver && this.emit("media"));
  }

  /** @private @param {Publisher} publisher */
  async publish(publisher) {
    await Promise.all(KINDS.map((kind) => publisher.replace(kind, this.sourceOf(kind).track)));
    await publisher.offer();
    for (const kind of KINDS) this.tell(kind);
  }

  /** Tells the server whether a source is off: after a rejoin it may remember something else. @private
   *  @param {PublishedKind} kind */
  tell(kind) {
    const on = this.sourceOf(kind).on;
    if (this.told[kind] !== on) this.send({ type: "mute", source: kind, muted: !on });
    this.told[kind] = on;
  }

  /** @private @param {PublishedKind} kind */
  sourceOf(kind) {
    return this.previewing && !PREVIEWED.includes(kind) ? NOTHING : this.sources[kind];
  }

  /** @private @param {Peer} peer */
  watch(peer) {
    peer.addEventListener("lost", () => this.recover(peer));
    peer.addEventListener("state", () => peer.connected && this.carries(peer));
  }

  /** @private @param {Peer} peer */
  carries(peer) {
    this.failures = 0;
    if (peer !== this.receiver || !this.fading) return;
    this.fading.close();
    this.fading = null;
    this.emit("media");
  }

  /**
   * Where the socket lives, only this connection is replaced; where it does not, it is joined again, and the welcome
   * brings new ones. @private @param {Peer} peer
   */
  async recover(peer) {
    if (!(await this.signalling.check()) || !this.peers().includes(peer) || !peer.broken) return;
    this.failures += 1;
    if (this.failures >= TRIES_BEFORE_BLAMING_THE_NETWORK) this.emit("blocked");
    if (peer === this.publisher) return this.renewPublisher();
    this.renewReceiver();
    this.send({ type: "receive" });
  }

  /** Reports what went wrong, unless the connection was closed meanwhile. @private
   *  @param {Peer | null} peer @param {Promise<void> | undefined} work */
  negotiate(peer, work) {
    work?.catch((error) => {
      if (peer?.pc.signalingState === "closed") return;
      this.emit("trouble", { code: "media", message: String(error?.message ?? error) });
    });
  }

  /** @private @param {string} type @param {unknown} [payload] */
  emit(type, payload) {
    this.dispatchEvent(new CustomEvent(type, { detail: payload }));
  }
}
