/** This person's camera and microphone: asking for them, turning them off and on, changing the device. No DOM. */

import { remembered } from "./storage.js";

/** @typedef {"camera" | "microphone"} LocalKind */
/** @typedef {"insecure" | "denied" | "missing" | "busy" | "lost" | "unknown"} DeviceProblem */

/** @type {Record<LocalKind, MediaTrackConstraints>} */
const CONSTRAINTS = {
  camera: { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } },
  microphone: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
};

/** @type {Record<string, DeviceProblem>} */
const PROBLEM_OF_ERROR = {
  NotAllowedError: "denied",
  SecurityError: "denied",
  NotFoundError: "missing",
  OverconstrainedError: "missing",
  NotReadableError: "busy",
  AbortError: "busy",
};

/** @param {unknown} error @returns {DeviceProblem} */
export function deviceProblem(error) {
  return (error instanceof Error && PROBLEM_OF_ERROR[error.name]) || "unknown";
}

class Input {
  constructor() {
    /** @type {MediaStreamTrack | null} */
    this.track = null;
    this.on = false;
    this.wanted = false; // what the person asked for, whatever the device says
    /** @type {DeviceProblem | null} */
    this.problem = null;
    this.request = 0; // only the newest request for a device counts
  }
}

/**
 * Events: `change` (CustomEvent, detail: LocalKind) whenever a track, its state or its problem changes.
 * A camera that is off has no track: its light is out. A microphone that is muted keeps its track, disabled.
 */
export class LocalMedia extends EventTarget {
  constructor() {
    super();
    this.camera = new Input();
    this.microphone = new Input();
  }

  /**
   * Asks for both at once (one prompt), and for each alone if that fails.
   * @param {{camera: boolean, microphone: boolean}} wanted
   */
  async start(wanted) {
    this.camera.wanted = wanted.camera;
    this.microphone.wanted = wanted.microphone;
    if (wanted.camera && wanted.microphone && (await this.startBoth())) return;
    if (wanted.microphone) await this.turn("microphone", true);
    if (wanted.camera) await this.turn("camera", true);
  }

  /** @private */
  async startBoth() {
    const requests = [++this.camera.request, ++this.microphone.request];
    const tracks = await capture({ video: constraints("camera"), audio: constraints("microphone") }).catch(() => null);
    if (!tracks) return false;
    for (const [index, kind] of /** @type {const} */ (["camera", "microphone"]).entries()) {
      const track = tracks.find((each) => each.kind === (kind === "camera" ? "video" : "audio"));
      if (this[kind].request === requests[index] && track) this.adopt(kind, track);
      else track?.stop();
    }
    return true;
  }

  /** Turns a source on or off, as the person wishes. @param {LocalKind} kind @param {boolean} on */
  async set(kind, on) {
    this[kind].wanted = on;
    remembered.setWanted(kind, on);
    await this.turn(kind, on);
  }

  /** @private @param {LocalKind} kind @param {boolean} on */
  async turn(kind, on) {
    const input = this[kind];
    if (!on) this.turnOff(kind);
    else if (input.track?.readyState === "live") this.enable(kind);
    else await this.acquire(kind);
  }

  /** @param {LocalKind} kind @param {string} deviceId */
  async choose(kind, deviceId) {
    remembered.setDevice(kind, deviceId);
    if (this[kind].on || this[kind].problem) await this.acquire(kind);
    else this.drop(kind); // the next time it is turned on, it is the new device
  }

  /** Lets go of both devices; what was wanted stays. */
  stop() {
    this.drop("camera");
    this.drop("microphone");
  }

  /** @private @param {LocalKind} kind */
  turnOff(kind) {
    const input = this[kind];
    input.request++;
    input.on = false;
    input.problem = null;
    if (kind === "camera") this.release(kind);
    else if (input.track) input.track.enabled = false;
    this.changed(kind);
  }

  /** @private @param {LocalKind} kind */
  enable(kind) {
    const input = this[kind];
    input.on = true;
    input.problem = null;
    if (input.track) input.track.enabled = true;
    this.changed(kind);
  }

  /** @private @param {LocalKind} kind */
  async acquire(kind) {
    const input = this[kind];
    const request = ++input.request;
    if (kind === "microphone") this.release(kind); // some systems open only one microphone at a time
    try {
      const [track] = await capture({ [kind === "camera" ? "video" : "audio"]: constraints(kind) });
      if (request !== input.request) track?.stop();
      else if (track) this.adopt(kind, track);
    } catch (error) {
      if (request === input.request) this.fail(kind, insecure() ? "insecure" : deviceProblem(error));
    }
  }

  /** @private @param {LocalKind} kind @param {MediaStreamTrack} track */
  adopt(kind, track) {
    this.release(kind);
    const input = this[kind];
    input.track = track;
    track.addEventListener("ended", () => input.track === track && this.fail(kind, "lost"));
    this.enable(kind);
  }

  /** @private @param {LocalKind} kind @param {DeviceProblem} problem */
  fail(kind, problem) {
    this.release(kind);
    this[kind].on = false;
    this[kind].problem = problem;
    this.changed(kind);
  }

  /** @private @param {LocalKind} kind */
  drop(kind) {
    this[kind].request++;
    this[kind].on = false;
    this.release(kind);
    this.changed(kind);
  }

  /** @private @param {LocalKind} kind */
  release(kind) {
    this[kind].track?.stop();
    this[kind].track = null;
  }

  /** @private @param {LocalKind} kind */
  changed(kind) {
    this.dispatchEvent(new CustomEvent("change", { detail: kind }));
  }
}

/** Whether this page may use devices at all. */
export function insecure() {
  return !navigator.mediaDevices?.getUserMedia;
}

/** @param {LocalKind} kind @returns {MediaTrackConstraints} */
function constraints(kind) {
  const deviceId = remembered.device(kind);
  return deviceId ? { ...CONSTRAINTS[kind], deviceId: { ideal: deviceId } } : CONSTRAINTS[kind];
}

/** @param {MediaStreamConstraints} wanted */
async function capture(wanted) {
  if (insecure()) throw new DOMException("no secure context", "SecurityError");
  return (await navigator.mediaDevices.getUserMedia(wanted)).getTracks();
}

/** Devices whose name is known. @returns {Promise<MediaDeviceInfo[]>} */
export async function listDevices() {
  if (insecure()) return [];
  return (await navigator.mediaDevices.enumerateDevices()).filter((device) => device.deviceId);
}
