/** What a session receives, as this browser counts it: for tests and benchmarks. */

/**
 * @typedef {object} Arriving
 * @property {string} name
 * @property {number} framesDecoded
 * @property {number} width
 * @property {number} height
 * @property {number} audioLevel
 * @property {number} audioBytes
 * @property {number} totalAudioEnergy
 */

/** Of the others: what comes back of the own camera is none. @param {import("./session.js").Session} session
 *  @returns {Promise<Record<string, Arriving>>} by participant id */
export async function arriving(session) {
  const statistics = (await session.receiver?.statistics()) ?? new Map();
  const others = [...statistics].filter(([id]) => id !== session.me && id !== session.previewId);
  return Object.fromEntries(others.map(([id, each]) => [id, summary(session.people.get(id)?.name ?? "", each)]));
}

/** @param {string} name @param {import("./receiver.js").HeardStatistics} statistics @returns {Arriving} */
function summary(name, { audio, video }) {
  return {
    name,
    framesDecoded: video?.framesDecoded ?? 0,
    width: video?.frameWidth ?? 0,
    height: video?.frameHeight ?? 0,
    audioLevel: audio?.audioLevel ?? 0,
    audioBytes: audio?.bytesReceived ?? 0,
    totalAudioEnergy: audio?.totalAudioEnergy ?? 0,
  };
}
