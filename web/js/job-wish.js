/** What a job is asked for. No DOM. */

/** @typedef {import("./types.js").JobWish} JobWish */

/** @type {readonly (keyof import("./types.js").SpeechWish)[]} they say nothing where nothing is transcribed */
export const OF_SPEECH = ["language", "script", "numbers", "transcribe_from"];

/** How speech is written down, where it is. @param {JobWish} request @returns {Partial<import("./types.js").SpeechWish>} */
export function speechOf(request) {
  if (!request.transcriber) return {};
  return Object.fromEntries(OF_SPEECH.flatMap((key) => (request[key] ? [[key, request[key]]] : [])));
}

/** The same again, but for a title and for what files are wanted. @param {JobWish} [request] @returns {JobWish} */
export function wishLike(request = {}) {
  const { denoiser = null, transcriber = null, options = {}, layout = null } = request;
  return { denoiser, ...(transcriber ? { transcriber, ...speechOf(request) } : {}), options, ...(layout ? { layout } : {}) };
}
