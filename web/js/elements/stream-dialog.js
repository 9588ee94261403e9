import { h } from "../dom.js";
import { streamCommands } from "../stream-commands.js";
import { copyButton, copyField } from "./copy-field.js";
import { openDialog } from "./dialogs.js";

/** @typedef {import("../protocol.js").StreamAccess} StreamAccess */
/** @typedef {import("../i18n.js").Key} Key */

/** For the host: how other programs publish to this meeting, and watch it. @param {StreamAccess} access */
export function openStreams(access) {
  const commands = streamCommands(access, location.origin);
  const publish = [...addressFields("whip", commands.whipUrl, access.whip_token), ...publishHelp(commands)];
  const watch = [...addressFields("whep", commands.whepUrl, access.whep_token), command("stream.gstreamer", commands.watchGstreamer, "watch-gstreamer")];
  openDialog({
    title: "stream.title",
    body: [h("p", { class: "callout", t: "stream.secret" }), part("stream.publish", "stream.publish-hint", publish), part("stream.watch", "stream.watch-hint", watch)],
    testid: "stream-dialog",
    className: "stream-dialog",
  });
}

/** @param {Key} title @param {Key} hint @param {Node[]} content */
function part(title, hint, content) {
  return h("section", { class: "stream-part" }, h("h3", { t: title }), h("p", { class: "muted small", t: hint }), ...content);
}

/** @param {"whip" | "whep"} way @param {string} url @param {string} token */
function addressFields(way, url, token) {
  return [
    copyField({ label: "stream.url", value: url, testid: `${way}-url` }),
    copyField({ label: "stream.token", value: token, testid: `${way}-token`, secret: true }),
  ];
}

/** @param {ReturnType<typeof streamCommands>} commands */
function publishHelp(commands) {
  /** @type {Key[]} */
  const steps = ["stream.obs-1", "stream.obs-2", "stream.obs-3"];
  const obs = h("ol", { class: "hints" }, ...steps.map((key) => h("li", { t: key })));
  return [
    h("details", { "data-testid": "obs-help" }, h("summary", { t: "stream.obs" }), obs),
    command("stream.gstreamer", commands.publishGstreamer, "publish-gstreamer"),
    command("stream.ffmpeg", commands.publishFfmpeg, "publish-ffmpeg"),
  ];
}

/** What is read has a word in place of the token; what is copied has the token. @param {Key} title
 *  @param {import("../stream-commands.js").Command} text @param {string} testid */
function command(title, text, testid) {
  const code = h("pre", { tabindex: "0", tLabel: title, role: "group" }, h("code", {}, text.shown));
  const copy = copyButton(() => text.whole, `${testid}-copy`);
  return h("details", { "data-testid": testid }, h("summary", { t: title }), code, h("div", { class: "row" }, copy, h("span", { class: "muted small", t: "stream.with-token" })));
}
