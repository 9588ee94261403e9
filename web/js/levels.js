/** How loud someone is, cheaply. */

/** The loudness of a local track, in [0, 1]. A browser that lets no page hear before a click reads 0 until then. */
export class LevelMeter {
  /** @param {MediaStreamTrack} track */
  constructor(track) {
    this.track = track;
    this.context = new AudioContext();
    this.analyser = this.context.createAnalyser();
    this.analyser.fftSize = 1024;
    this.samples = new Float32Array(this.analyser.fftSize);
    this.source = this.context.createMediaStreamSource(new MediaStream([track]));
    this.source.connect(this.analyser);
  }

  read() {
    if (this.context.state === "suspended") this.context.resume().catch(() => {});
    if (!this.track.enabled) return 0;
    this.analyser.getFloatTimeDomainData(this.samples);
    return Math.min(1, Math.sqrt(this.samples.reduce((sum, value) => sum + value * value, 0) / this.samples.length));
  }

  close() {
    if (this.context.state !== "closed") this.context.close().catch(() => {});
  }
}

/**
 * The loudness of a remote person from what the receiver knows anyway; null where the browser does not say.
 * @param {RTCRtpReceiver | null} receiver null for someone who is not heard at the moment
 */
export function remoteLevel(receiver) {
  const source = receiver?.getSynchronizationSources?.()[0];
  if (!source) return 0;
  return source.audioLevel ?? null;
}

/** For a bar or a ring: speech at a usual distance fills about two thirds. @param {number} level linear, in [0, 1] */
export function shownLevel(level) {
  return Math.min(1, Math.sqrt(level) * 1.7);
}
