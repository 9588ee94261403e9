/** The peer connection that carries this person's media to the server. No DOM. */

import { Peer } from "./peer.js";

/** @typedef {import("./protocol.js").SourceKind} SourceKind */
/** @typedef {"microphone" | "camera" | "screen"} PublishedKind what a person turns off and on */
/** @typedef {RTCRtpEncodingParameters & {scalabilityMode?: string}} Encoding */

/** @type {readonly SourceKind[]} the order of the sections in the offer */
export const SECTIONS = ["microphone", "camera", "camera-small", "screen"];

const SMALL_PX = 180; // the shorter side of the small picture
const SIZE_PERIOD_MS = 2000;

/** Every section has temporal layers, so that the server may send a quarter or half of the pictures to those with little room. */
const LAYERS = "L1T3";

/** @type {Record<Exclude<SourceKind, "microphone">, Encoding>} */
const ENCODINGS = {
  camera: { maxBitrate: 1_800_000, maxFramerate: 30 },
  "camera-small": { maxBitrate: 100_000, maxFramerate: 30 },
  screen: { maxBitrate: 2_500_000, maxFramerate: 15 },
};

const CODECS = ["video/h264", "video/vp8"]; // the best last

/** What suffers first where the network or the machine is too slow: the movement or the sharpness. */
const PREFERENCES = { camera: "balanced", "camera-small": "maintain-resolution", screen: "maintain-resolution" };

/** A browser that may, shrinks the first pictures, while it does not know the network, and takes half a minute to undo it. */
const AT_FIRST = "maintain-resolution";
const FIRST_S = 5;
const MAX_TRIES = 4;

export class Publisher extends Peer {
  /** All sections are negotiated at once, with or without a track: turning one on later is a matter of replaceTrack.
   *  @param {import("./peer.js").Send} send @param {RTCIceServer[]} iceServers */
  constructor(send, iceServers) {
    super("publish", send, iceServers);
    this.transceivers = new Map(SECTIONS.map((source) => [source, addSection(this.pc, source)]));
    /** @type {Promise<void>} */
    this.adjusting = Promise.resolve(); // parameters are read and written by one at a time
    for (const source of /** @type {const} */ (["camera-small", "screen"])) this.prefer(source, PREFERENCES[source]);
    /** @type {number | undefined} */
    this.settling = undefined;
    this.addEventListener("state", () => this.connected && this.settle());
    this.sizes = setInterval(() => this.fitSmall(), SIZE_PERIOD_MS); // a phone that is turned changes its picture's size
    this.smallScale = 0;
    /** @type {MediaStreamTrack | null} */
    this.small = null;
    /** @type {MediaStreamTrack | null} */
    this.cloned = null;
  }

  async offer() {
    await this.pc.setLocalDescription();
    const sources = [...this.transceivers].map(([source, { mid }]) => ({ mid: mid ?? "", source }));
    this.send({ type: "publish", sdp: this.pc.localDescription?.sdp ?? "", sources });
  }

  /** @param {string} sdp */
  async published(sdp) {
    await this.pc.setRemoteDescription({ type: "answer", sdp });
  }

  /** @param {PublishedKind} kind @param {MediaStreamTrack | null} track */
  async replace(kind, track) {
    if (this.pc.signalingState === "closed") return;
    if (kind === "camera" && track) this.settle();
    await Promise.all([this.put(kind, track), kind === "camera" && this.replaceSmall(track)]);
  }

  /** @override */
  close() {
    clearInterval(this.sizes);
    clearTimeout(this.settling);
    this.small?.stop();
    super.close();
  }

  /**
   * The small picture has a track of its own: two encoders of one track are given the smaller of the sizes that they
   * ask for, so that one which is short of bits would shrink the other. @private @param {MediaStreamTrack | null} track
   */
  async replaceSmall(track) {
    if (track && track === this.cloned) return;
    this.small?.stop(); // at once: the light of the camera must go out
    this.cloned = track;
    this.small = track?.clone() ?? null;
    await this.fitSmall();
    await this.put("camera-small", this.small);
  }

  /** @private @param {SourceKind} source @param {MediaStreamTrack | null} track */
  async put(source, track) {
    const sender = this.transceivers.get(source)?.sender;
    if (sender && sender.track !== track) await sender.replaceTrack(track);
  }

  /** Scales the small picture by what the camera gives now. @private */
  async fitSmall() {
    const scale = this.small && smallScale(this.small.getSettings());
    if (!scale || scale === this.smallScale) return;
    this.smallScale = scale;
    await this.adjust("camera-small", (parameters) => {
      for (const encoding of parameters.encodings) encoding.scaleResolutionDownBy = scale;
    });
  }

  /** The camera begins in its full size, whatever it costs, and adapts later. @private */
  settle() {
    clearTimeout(this.settling);
    this.settling = setTimeout(() => this.settled(1), FIRST_S * 1000);
    this.prefer("camera", AT_FIRST);
  }

  /** While the bit rate still climbs, the size is kept; not for ever, for the network may carry no more.
   *  @private @param {number} tries */
  async settled(tries) {
    const stats = await this.transceivers.get("camera")?.sender.getStats().catch(() => null);
    const climbing = [...(stats?.values() ?? [])].some((report) => report.qualityLimitationReason === "bandwidth");
    if (climbing && tries < MAX_TRIES) this.settling = setTimeout(() => this.settled(tries + 1), FIRST_S * 1000);
    else this.prefer("camera", PREFERENCES.camera);
  }

  /** @private @param {SourceKind} source @param {string} preference */
  prefer(source, preference) {
    return this.adjust(source, (parameters) => {
      /** @type {any} */ (parameters).degradationPreference = preference;
    });
  }

  /** A browser that does not take a parameter goes without it. @private @param {SourceKind} source
   *  @param {(parameters: RTCRtpSendParameters) => void} change @returns {Promise<void>} */
  adjust(source, change) {
    this.adjusting = this.adjusting.then(async () => {
      const sender = this.transceivers.get(source)?.sender;
      const parameters = sender?.getParameters();
      if (!sender || !parameters?.encodings?.length || this.pc.signalingState === "closed") return;
      change(parameters);
      await sender.setParameters(parameters).catch(() => {});
    });
    return this.adjusting;
  }
}

/** By how much to divide a picture for the small one. @param {{width?: number, height?: number}} size in pixels; 720p
 *  where the browser does not tell */
export function smallScale({ width = 1280, height = 720 }) {
  return Math.max(1, Math.min(width, height) / SMALL_PX);
}

/** @param {RTCPeerConnection} pc @param {SourceKind} source */
function addSection(pc, source) {
  if (source === "microphone") return pc.addTransceiver("audio", { direction: "sendonly" });
  const transceiver = addVideo(pc, ENCODINGS[source]);
  preferVp8(transceiver);
  return transceiver;
}

/** Browsers that know no layers say so in different ways: some ignore the wish, some throw. @param {RTCPeerConnection} pc
 *  @param {Encoding} encoding */
function addVideo(pc, encoding) {
  try {
    const sendEncodings = [/** @type {Encoding} */ ({ ...encoding, scalabilityMode: LAYERS })];
    return pc.addTransceiver("video", { direction: "sendonly", sendEncodings });
  } catch {
    return pc.addTransceiver("video", { direction: "sendonly", sendEncodings: [encoding] });
  }
}

/** VP8 alone has temporal layers that the server can tell apart; H.264 stays for a browser without it.
 *  @param {RTCRtpTransceiver} transceiver */
function preferVp8(transceiver) {
  const codecs = RTCRtpSender.getCapabilities("video")?.codecs ?? [];
  const rank = (/** @type {{mimeType: string}} */ codec) => CODECS.indexOf(codec.mimeType.toLowerCase());
  const sorted = [...codecs].sort((a, b) => rank(b) - rank(a));
  try {
    if (sorted.length) transceiver.setCodecPreferences?.(sorted);
  } catch {
    // the browser's own order is as good as any: the server takes both
  }
}
