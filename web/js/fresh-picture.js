/** When a video element shows what it is meant to show. No DOM besides the element. */

const IN_FLIGHT_MS = 100;

/**
 * Calls back at the first picture that was received well after now: a slot that passes from one person to another may
 * still deliver a picture or two of the former. Pictures of the own camera, and those of browsers that do not say when
 * they were received, count at once.
 * @param {HTMLVideoElement} video
 * @param {() => void} callback
 */
export function onFreshPicture(video, callback) {
  const source = video.srcObject;
  const since = performance.now() + IN_FLIGHT_MS;
  const look = (/** @type {number} */ _now, /** @type {{receiveTime?: number}} */ { receiveTime = Infinity }) => {
    if (video.srcObject !== source) return;
    if (receiveTime >= since) callback();
    else video.requestVideoFrameCallback(look);
  };
  if ("requestVideoFrameCallback" in video) video.requestVideoFrameCallback(look);
  else callback();
}
