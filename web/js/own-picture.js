/** What a person is shown of their own camera: what the others get, or plainly not. No DOM. */

/** @typedef {import("./local-media.js").LocalMedia} LocalMedia */
/** @typedef {import("./session.js").Session} Session */
/** @typedef {"preparing" | "failed" | "unavailable"} Veil why it cannot be shown yet */

/**
 * @typedef {object} OwnPicture
 * @property {MediaStreamTrack | null} local what the camera gives
 * @property {MediaStreamTrack | null} received what the others get of it; null where they get what the camera gives
 * @property {boolean} paused nothing is received at the moment
 * @property {boolean} secret whether the local one must not be taken for what the others see
 * @property {Veil} veil what to say in place of it
 * @property {boolean} mirrored a card with a name on it is not to be mirrored
 */

/** @param {LocalMedia} media @param {Session | null} session @returns {OwnPicture} */
export function ownPicture(media, session) {
  const local = media.camera.track;
  const effects = session?.effects ?? null;
  const secret = effects?.secret ?? false;
  const { state, hides } = effects?.standing("camera") ?? { state: "off", hides: false };
  const arriving = hides && local ? (session?.ownPicture() ?? null) : null;
  const held = secret && state === "starting"; // the others get a card, which would tell nothing here
  return {
    local,
    received: held ? null : (arriving?.video ?? null),
    paused: arriving?.paused ?? false,
    secret,
    veil: session?.previewFailed ? "unavailable" : state === "failed" ? "failed" : "preparing",
    mirrored: state !== "failed",
  };
}
