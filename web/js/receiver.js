/** The peer connection that carries everybody else's media to this page. No DOM. */

import { Peer } from "./peer.js";

/** @typedef {import("./protocol.js").Slot} Slot */

/**
 * What arrives of a person; null where no slot is theirs. A paused picture is not sent now.
 * @typedef {object} Heard
 * @property {MediaStreamTrack | null} audio
 * @property {RTCRtpReceiver | null} audioReceiver
 * @property {MediaStreamTrack | null} video
 * @property {boolean} paused
 * @property {MediaStreamTrack | null} screen
 * @property {boolean} screenPaused
 */
/** @typedef {{audio?: any, video?: any, screen?: any}} HeardStatistics of the kind `inbound-rtp` */

const LOSSY = 0.015;
const LOSSY_HOLD_MS = 15_000;
const CUSHION_MS = 300; // a report or a NACK, a round trip, and once more if the repair is lost as well

/** Events, besides those of Peer: `media`, when the tracks of someone may have changed. */
export class Receiver extends Peer {
  /** @param {import("./peer.js").Send} send @param {RTCIceServer[]} iceServers */
  constructor(send, iceServers) {
    super("receive", send, iceServers);
    /** @type {Slot[]} */
    this.slots = [];
    this.origin = "";
    /** @type {Map<string, number>} when packets were last lost, by MID */
    this.lossyAt = new Map();
    this.negotiating = Promise.resolve();
    this.addEventListener("state", () => this.changed());
  }

  /** Whether an offer belongs to the server's end that this connection began with. @param {string} sdp */
  fits(sdp) {
    return !this.origin || this.origin === originOf(sdp);
  }

  /** Offers are answered one after another. @param {string} sdp @param {number} negotiation */
  offered(sdp, negotiation) {
    this.origin = originOf(sdp);
    const answer = this.negotiating.then(() => this.answer(sdp, negotiation));
    this.negotiating = answer.catch(() => {});
    return answer;
  }

  /** @private @param {string} sdp @param {number} negotiation */
  async answer(sdp, negotiation) {
    await this.pc.setRemoteDescription({ type: "offer", sdp });
    await this.pc.setLocalDescription();
    this.send({ type: "answer", sdp: this.pc.localDescription?.sdp ?? "", negotiation });
    this.changed();
  }

  /** @param {Slot[]} slots */
  assign(slots) {
    this.slots = slots;
    this.changed();
  }

  /** Who is heard and seen on which tracks. @returns {Map<string, Heard>} */
  heard() {
    const byMid = new Map(this.pc.getTransceivers().map((transceiver) => [transceiver.mid, transceiver.receiver]));
    /** @type {Map<string, Heard>} */
    const heard = new Map();
    for (const slot of this.slots) {
      if (!slot.participant_id) continue;
      const known = heard.get(slot.participant_id) ?? nothing();
      heard.set(slot.participant_id, { ...known, ...this.arriving(slot, byMid) });
    }
    return heard;
  }

  /** @private @param {Slot} slot @param {Map<string | null, RTCRtpReceiver>} byMid @returns {Partial<Heard>} */
  arriving(slot, byMid) {
    const picture = byMid.get(slot.video_mid)?.track ?? null;
    const paused = slot.paused || !this.connected;
    if (slot.source === "screen") return { screen: picture, screenPaused: paused };
    const audioReceiver = (slot.audio_mid && byMid.get(slot.audio_mid)) || null;
    return { audio: audioReceiver?.track ?? null, audioReceiver, video: picture, paused };
  }

  /** @returns {Promise<Map<string, HeardStatistics>>} of each person */
  async statistics() {
    /** @type {Map<string | null, any>} */
    const byMid = new Map();
    for (const report of (await this.pc.getStats()).values()) {
      if (report.type === "inbound-rtp") byMid.set(report.mid, report);
    }
    /** @type {Map<string, HeardStatistics>} */
    const statistics = new Map();
    for (const { participant_id, audio_mid, video_mid, source } of this.slots) {
      if (!participant_id) continue;
      const picture = byMid.get(video_mid);
      const found = source === "screen" ? { screen: picture } : { audio: byMid.get(audio_mid), video: picture };
      statistics.set(participant_id, { ...statistics.get(participant_id), ...found });
    }
    return statistics;
  }

  /** While packets are lost on a person's way here, or to the server, their sound and picture are played a little
   *  later, so that what is sent again comes in time.
   *  @param {{received_loss: number, people: {participant_id: string, loss: number}[]}} statistics
   *  @param {number} nowMs */
  cushion({ received_loss, people }, nowMs) {
    const losses = new Map(people.map((person) => [person.participant_id, person.loss]));
    const byMid = new Map(this.pc.getTransceivers().map((transceiver) => [transceiver.mid, transceiver.receiver]));
    for (const slot of this.slots) {
      const loss = Math.max(received_loss, losses.get(slot.participant_id ?? "") ?? 0);
      for (const mid of [slot.audio_mid, slot.video_mid]) {
        if (mid !== null && loss > LOSSY) this.lossyAt.set(mid, nowMs);
        const lossy = nowMs - (this.lossyAt.get(mid ?? "") ?? -Infinity) < LOSSY_HOLD_MS;
        setDelay(byMid.get(mid), lossy ? CUSHION_MS : null);
      }
    }
  }

  /** @private */
  changed() {
    this.dispatchEvent(new CustomEvent("media"));
  }
}

/** Not every browser lets a page choose (Safari, Firefox): these decide alone.
 *  @param {(RTCRtpReceiver & {jitterBufferTarget?: number | null}) | undefined} receiver @param {number | null} delayMs */
function setDelay(receiver, delayMs) {
  if (receiver && "jitterBufferTarget" in receiver && receiver.jitterBufferTarget !== delayMs) {
    receiver.jitterBufferTarget = delayMs;
  }
}

/** @returns {Heard} */
function nothing() {
  return { audio: null, audioReceiver: null, video: null, paused: true, screen: null, screenPaused: true };
}

/** The server has no ICE restart: its fragment names one connection, for good. @param {string} sdp */
function originOf(sdp) {
  return /^a=ice-ufrag:(.*)$/m.exec(sdp)?.[1]?.trim() ?? "";
}
