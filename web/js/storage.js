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
 * @typedef {{token: string, name: string, camera: boolean, microphone: boolean, recorded?: boolean | null}} Seat
 */

/**
 * What this person changed of an effect; what is absent is as the meeting has it. `title` names what protected the
 * person's privacy, for a meeting that does not have it.
 * @typedef {{on?: boolean, options?: Record<string, unknown>, title?: string}} RememberedEffect
 * @typedef {{filters: Record<string, RememberedEffect>, denoisers: Record<string, RememberedEffect>}} RememberedEffects
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

  /** Whether captions are to be seen, where a meeting has them. */
  captionsShown: () => get(local(), "vmeet.captions") !== "no",
  /** @param {boolean} shown */
  setCaptionsShown: (shown) => put(local(), "vmeet.captions", shown ? "yes" : "no"),

  /** What this person says they speak; null: what the meeting says. */
  spokenLanguage: () => get(local(), "vmeet.spoken"),
  /** @param {string | null} language */
  setSpokenLanguage: (language) => put(local(), "vmeet.spoken", language),

  /** By the name of the provider: what one likes in one meeting, one likes in another. @returns {RememberedEffects} */
  effects: () => parseEffects(get(local(), "vmeet.effects")),
  /** @param {RememberedEffects} effects */
  setEffects: (effects) => put(local(), "vmeet.effects", JSON.stringify(effects)),

  /** Names of the background pictures that were added in this browser, the latest first. @returns {string[]} */
  pictures: () => parsePictures(get(local(), "vmeet.pictures")),
  /** @param {string[]} names */
  setPictures: (names) => put(local(), "vmeet.pictures", JSON.stringify(names)),

  /** @param {string} meetingId @returns {Seat | null} */
  seat: (meetingId) => parseSeat(get(session(), `vmeet.seat.${meetingId}`)),
  /** @param {string} meetingId @param {Seat | null} seat */
  setSeat: (meetingId, seat) => put(session(), `vmeet.seat.${meetingId}`, seat && JSON.stringify(seat)),
};

/** @param {string | null} text @returns {any} */
function parse(text) {
  try {
    return JSON.parse(text ?? "null");
  } catch {
    return null;
  }
}

/** @param {string | null} text @returns {Seat | null} */
function parseSeat(text) {
  const seat = parse(text);
  return typeof seat?.token === "string" && typeof seat?.name === "string" ? seat : null;
}

/** @param {string | null} text @returns {RememberedEffects} */
function parseEffects(text) {
  const effects = parse(text);
  return { filters: parseEffectsOf(effects?.filters), denoisers: parseEffectsOf(effects?.denoisers) };
}

/** @param {unknown} effects @returns {Record<string, RememberedEffect>} */
function parseEffectsOf(effects) {
  if (!isObject(effects)) return {};
  const known = Object.entries(effects).filter(([, effect]) => isObject(effect));
  return Object.fromEntries(known.map(([name, { on, options, title }]) => [name, {
    ...(typeof on === "boolean" ? { on } : {}),
    ...(isObject(options) ? { options } : {}),
    ...(typeof title === "string" ? { title } : {}),
  }]));
}

/** @param {string | null} text @returns {string[]} */
function parsePictures(text) {
  const names = parse(text);
  return Array.isArray(names) ? names.filter((name) => typeof name === "string") : [];
}

/** @param {unknown} value @returns {value is Record<string, any>} */
function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
