/** How well someone is connected, as a number of bars. Nothing here touches the document. */

/** @typedef {0 | 1 | 2 | 3} Quality bars; 0: not connected, or nothing is known yet */

/**
 * The most that a connection may have for so many bars; beyond the last it has one.
 *
 * Loss, before any repair: up to 2 % is nearly always mended by one retransmission. Up to 8 % pictures are mostly
 * whole, and Opus hides single gaps. Beyond, speech is heard to break up.
 * Round trip to the server: a word takes half of the speaker's and half of the listener's, so with two alike one such
 * trip, and some 50 ms of buffers. ITU-T G.114 calls 150 ms from mouth to ear unnoticed and 400 ms the limit.
 * Jitter: that of a picture has the sender's encoder and pacer in it, 30 to 70 ms on a network without fault; above,
 * browsers hold sound back for about twice of it, which adds to that delay.
 */
const STEPS = [
  { bars: /** @type {const} */ (3), loss: 0.02, rtt_s: 0.12, jitter_s: 0.1 },
  { bars: /** @type {const} */ (2), loss: 0.08, rtt_s: 0.35, jitter_s: 0.2 },
];

/**
 * @param {{loss: number, jitter_s: number, rtt_s: number | null}} connection of both directions the worse
 * @returns {Quality}
 */
export function qualityOf({ loss, jitter_s, rtt_s }) {
  const step = STEPS.find((most) => loss <= most.loss && jitter_s <= most.jitter_s && (rtt_s ?? 0) <= most.rtt_s);
  return step?.bars ?? 1;
}
