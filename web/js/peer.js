/** A peer connection that is watched: what publishing and receiving share. No DOM. */

/** @typedef {import("./protocol.js").Connection} Connection */
/** @typedef {(message: import("./protocol.js").ClientMessage) => unknown} Send */

const PATIENCE_S = 3; // a network that stutters often recovers within this time
const HURRIED_PATIENCE_S = 0.5;
const HURRY_S = 10;

/** Events: `lost` whenever there is little hope that it recovers by itself; `state` at every change. */
export class Peer extends EventTarget {
  /** @param {Connection} connection @param {Send} send @param {RTCIceServer[]} iceServers */
  constructor(connection, send, iceServers) {
    super();
    this.send = send;
    this.pc = new RTCPeerConnection({ iceServers, bundlePolicy: "max-bundle" });
    this.hurriedUntil = 0;
    /** @type {number | undefined} */
    this.patience = undefined;
    this.pc.addEventListener("icecandidate", ({ candidate }) => {
      send({ type: "candidate", connection, candidate: candidate?.candidate ?? "", mid: candidate?.sdpMid ?? null });
    });
    this.pc.addEventListener("connectionstatechange", () => this.watch());
  }

  get connected() {
    return this.pc.connectionState === "connected";
  }

  /** Whether it once carried something, or tried to, and no longer does. */
  get broken() {
    return this.pc.connectionState === "disconnected" || this.pc.connectionState === "failed";
  }

  /** The network has changed: whatever breaks now is not likely to heal. */
  hurry() {
    this.hurriedUntil = performance.now() + HURRY_S * 1000;
    this.watch();
  }

  close() {
    clearTimeout(this.patience);
    this.pc.close();
  }

  /** @private */
  watch() {
    clearTimeout(this.patience);
    if (this.broken) this.patience = setTimeout(() => this.lose(), this.patienceS() * 1000);
    this.dispatchEvent(new CustomEvent("state", { detail: this.pc.connectionState }));
  }

  /** @private */
  patienceS() {
    if (this.pc.connectionState === "failed") return 0;
    return performance.now() < this.hurriedUntil ? HURRIED_PATIENCE_S : PATIENCE_S;
  }

  /** Says it again for as long as it stays so: the one who listens may have had to wait for the socket. @private */
  lose() {
    if (!this.broken) return;
    this.patience = setTimeout(() => this.lose(), PATIENCE_S * 1000);
    this.dispatchEvent(new CustomEvent("lost"));
  }
}
