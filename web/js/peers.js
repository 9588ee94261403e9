/** The two peer connections of a person: one publishes, one receives. No DOM. */

/** @typedef {import("./protocol.js").ClientMessage} ClientMessage */
/** @typedef {import("./protocol.js").Connection} Connection */
/** @typedef {import("./protocol.js").Slot} Slot */
/** @typedef {import("./local-media.js").LocalKind} LocalKind */
/** @typedef {(message: ClientMessage) => unknown} Send */

const CAMERA_MAX_BITRATE = 1_500_000;
const DISCONNECTED_S = 4; // ICE often recovers by itself within this time

/**
 * Events: `failed` once, when the connection has no hope of recovering by itself; `state` at every change.
 */
class Peer extends EventTarget {
  /** @param {Connection} connection @param {Send} send @param {RTCIceServer[]} iceServers */
  constructor(connection, send, iceServers) {
    super();
    this.send = send;
    this.pc = new RTCPeerConnection({ iceServers, bundlePolicy: "max-bundle" });
    /** @type {number | undefined} */
    this.patience = undefined;
    this.pc.addEventListener("icecandidate", ({ candidate }) => {
      send({ type: "candidate", connection, candidate: candidate?.candidate ?? "", mid: candidate?.sdpMid ?? null });
    });
    this.pc.addEventListener("connectionstatechange", () => this.watch());
  }

  /** @private */
  watch() {
    clearTimeout(this.patience);
    const state = this.pc.connectionState;
    if (state === "disconnected") this.patience = setTimeout(() => this.fail(), DISCONNECTED_S * 1000);
    if (state === "failed") this.fail();
    this.dispatchEvent(new CustomEvent("state", { detail: state }));
  }

  /** @private */
  fail() {
    if (this.pc.connectionState !== "closed") this.dispatchEvent(new CustomEvent("failed"));
  }

  close() {
    clearTimeout(this.patience);
    this.pc.close();
  }
}

export class Publisher extends Peer {
  /** @param {Send} send @param {RTCIceServer[]} iceServers */
  constructor(send, iceServers) {
    super("publish", send, iceServers);
    /** @type {Record<LocalKind, RTCRtpTransceiver>} */
    this.transceivers = {
      microphone: this.pc.addTransceiver("audio", { direction: "sendonly" }),
      camera: this.pc.addTransceiver("video", {
        direction: "sendonly",
        sendEncodings: [{ maxBitrate: CAMERA_MAX_BITRATE }],
      }),
    };
  }

  /** Both sources are negotiated at once, with or without a track: turning one on later is a matter of replaceTrack. */
  async offer() {
    await this.pc.setLocalDescription();
    const sources = /** @type {const} */ (["microphone", "camera"]).map((source) => ({
      mid: this.transceivers[source].mid ?? "",
      source,
    }));
    this.send({ type: "publish", sdp: this.pc.localDescription?.sdp ?? "", sources });
  }

  /** @param {string} sdp */
  async published(sdp) {
    await this.pc.setRemoteDescription({ type: "answer", sdp });
  }

  /** @param {LocalKind} source @param {MediaStreamTrack | null} track */
  async replace(source, track) {
    const sender = this.transceivers[source].sender;
    if (sender.track !== track && this.pc.signalingState !== "closed") await sender.replaceTrack(track);
  }
}

/**
 * @typedef {object} Heard
 * @property {MediaStreamTrack} audio
 * @property {MediaStreamTrack} video
 * @property {RTCRtpReceiver} audioReceiver
 */

/** Events, besides those of Peer: `media`, when the tracks of someone may have changed. */
export class Receiver extends Peer {
  /** @param {Send} send @param {RTCIceServer[]} iceServers */
  constructor(send, iceServers) {
    super("receive", send, iceServers);
    /** @type {Slot[]} */
    this.slots = [];
    this.negotiating = Promise.resolve();
  }

  /** Offers are answered one after another. @param {string} sdp @param {number} negotiation */
  offered(sdp, negotiation) {
    const answer = this.negotiating.then(() => this.answer(sdp, negotiation));
    this.negotiating = answer.catch(() => {});
    return answer;
  }

  /** @private @param {string} sdp @param {number} negotiation */
  async answer(sdp, negotiation) {
    await this.pc.setRemoteDescription({ type: "offer", sdp });
    await this.pc.setLocalDescription();
    this.send({ type: "answer", sdp: this.pc.localDescription?.sdp ?? "", negotiation });
    this.dispatchEvent(new CustomEvent("media"));
  }

  /** @param {Slot[]} slots */
  assign(slots) {
    this.slots = slots;
    this.dispatchEvent(new CustomEvent("media"));
  }

  /** Who is heard and seen on which tracks. @returns {Map<string, Heard>} */
  heard() {
    const byMid = new Map(this.pc.getTransceivers().map((transceiver) => [transceiver.mid, transceiver.receiver]));
    const heard = new Map();
    for (const slot of this.slots) {
      const [audio, video] = [byMid.get(slot.audio_mid), byMid.get(slot.video_mid)];
      if (!slot.participant_id || !audio || !video) continue;
      heard.set(slot.participant_id, { audio: audio.track, video: video.track, audioReceiver: audio });
    }
    return heard;
  }

  /** @returns {Promise<Map<string, {audio?: any, video?: any}>>} the `inbound-rtp` statistics of each person */
  async statistics() {
    /** @type {Map<string, any>} */
    const byMid = new Map();
    for (const report of (await this.pc.getStats()).values()) {
      if (report.type === "inbound-rtp") byMid.set(report.mid, report);
    }
    const statistics = new Map();
    for (const { participant_id, audio_mid, video_mid } of this.slots) {
      if (participant_id) statistics.set(participant_id, { audio: byMid.get(audio_mid), video: byMid.get(video_mid) });
    }
    return statistics;
  }
}
