/** What this browser remembers. Storage may be full or forbidden: everything works without it. */

/** @param {Storage | undefined} storage @param {string} key */
function get(storage, key) {
  try {
    return storage?.getItem(key) ?? null;
  } catch {
    return null;
  }
}

/** @param {Storage | undefined} storage @param {string} key @param {string | null} value null removes it */
function put(storage, key, value) {
  try {
    if (value === null) storage?.removeItem(key);
    else storage?.setItem(key, value);
  } catch {
    // see above
  }
}

/** @param {"localStorage" | "sessionStorage"} name */
function storageNamed(name) {
  try {
    return globalThis[name];
  } catch {
    return undefined;
  }
}

const local = () => storageNamed("localStorage");
const session = () => storageNamed("sessionStorage");

/**
 * What this tab knows of a meeting it is in: enough to come back as the same person after a reload.
 * @typedef {{token: string, name: string, camera: boolean, microphone: boolean}} Seat
 */

export const remembered = {
  name: () => get(local(), "vmeet.name") ?? "",
  /** @param {string} name */
  setName: (name) => put(local(), "vmeet.name", name),

  /** @param {string} meetingId */
  hostKey: (meetingId) => get(local(), `vmeet.host.${meetingId}`),
  /** @param {string} meetingId @param {string} key */
  setHostKey: (meetingId, key) => put(local(), `vmeet.host.${meetingId}`, key),

  /** @param {"camera" | "microphone" | "speaker"} kind */
  device: (kind) => get(local(), `vmeet.device.${kind}`),
  /** @param {"camera" | "microphone" | "speaker"} kind @param {string} deviceId */
  setDevice: (kind, deviceId) => put(local(), `vmeet.device.${kind}`, deviceId),

  /** Whether the person last came with it on. @param {"camera" | "microphone"} kind */
  wanted: (kind) => get(local(), `vmeet.wanted.${kind}`) !== "no",
  /** @param {"camera" | "microphone"} kind @param {boolean} on */
  setWanted: (kind, on) => put(local(), `vmeet.wanted.${kind}`, on ? "yes" : "no"),

  /** @param {string} meetingId @returns {Seat | null} */
  seat: (meetingId) => parseSeat(get(session(), `vmeet.seat.${meetingId}`)),
  /** @param {string} meetingId @param {Seat | null} seat */
  setSeat: (meetingId, seat) => put(session(), `vmeet.seat.${meetingId}`, seat && JSON.stringify(seat)),
};

/** @param {string | null} text @returns {Seat | null} */
function parseSeat(text) {
  try {
    const seat = JSON.parse(text ?? "null");
    return typeof seat?.token === "string" && typeof seat?.name === "string" ? seat : null;
  } catch {
    return null;
  }
}
