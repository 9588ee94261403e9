/** The commands that publish to a meeting and watch it with common programs. Nothing here touches the document. */

/** @typedef {{shown: string, whole: string}} Command `shown` has TOKEN where `whole` has the bearer token */

/**
 * @param {import("./protocol.js").StreamAccess} access
 * @param {string} origin of this server, such as meet.example
 */
export function streamCommands(access, origin) {
  const whipUrl = new URL(access.whip_path, origin).href;
  const whepUrl = new URL(access.whep_path, origin).href;
  return {
    whipUrl,
    whepUrl,
    publishGstreamer: withToken(access.whip_token, (token) => publishWithGstreamer(whipUrl, token)),
    publishFfmpeg: withToken(access.whip_token, (token) => publishWithFfmpeg(whipUrl, token)),
    watchGstreamer: withToken(access.whep_token, (token) => watchWithGstreamer(whepUrl, token)),
  };
}

/** @param {string} token @param {(token: string) => string} write @returns {Command} */
function withToken(token, write) {
  return { shown: write("TOKEN"), whole: write(quoted(token)) };
}

/** Zerolatency means no B-frames. @param {string} url @param {string} token */
function publishWithGstreamer(url, token) {
  return [
    `gst-launch-1.0 whipclientsink name=out signaller::whip-endpoint=${quoted(url)} signaller::auth-token=${token}`,
    "videotestsrc is-live=true ! video/x-raw,width=1280,height=720,framerate=30/1 ! videoconvert",
    "! x264enc tune=zerolatency bframes=0 key-int-max=60 bitrate=2000 ! video/x-h264,profile=baseline ! out.",
    "audiotestsrc is-live=true wave=ticks ! audioconvert ! audioresample ! opusenc ! out.",
  ].join(" \\\n  ");
}

/** @param {string} url @param {string} token */
function publishWithFfmpeg(url, token) {
  return [
    "ffmpeg -re -i video.mp4",
    "-c:v libx264 -profile:v baseline -bf 0 -tune zerolatency -pix_fmt yuv420p -g 60 -b:v 2M",
    "-c:a libopus -ar 48000 -ac 2",
    `-f whip -authorization ${token} ${quoted(url)}`,
  ].join(" \\\n  ");
}

/** @param {string} url @param {string} token */
function watchWithGstreamer(url, token) {
  return [
    `gst-launch-1.0 whepclientsrc name=in signaller::whep-endpoint=${quoted(url)} signaller::auth-token=${token}`,
    "in. ! queue ! videoconvert ! autovideosink",
    "in. ! queue ! audioconvert ! autoaudiosink",
  ].join(" \\\n  ");
}

/** For a POSIX shell. @param {string} word */
function quoted(word) {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
