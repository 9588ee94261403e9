import { h } from "../dom.js";
import { openDialog } from "./dialogs.js";
import { StatisticsView } from "./statistics-view.js";

/** @typedef {import("../protocol.js").Statistics} Statistics */

/**
 * Opens the connection details, which follow the session until they are closed.
 * @param {import("../session.js").Session} session
 * @param {Statistics | null} latest what is known already
 */
export function openStatistics(session, latest) {
  const view = new StatisticsView();
  view.show(latest, session.people);
  const follow = (/** @type {Event} */ event) => view.show(/** @type {CustomEvent} */ (event).detail, session.people);
  session.addEventListener("statistics", follow);
  const hint = h("p", { class: "muted small", t: "stats.hint" });
  const { closed } = openDialog({ title: "stats.title", body: [view, hint], testid: "statistics-dialog", className: "statistics-dialog" });
  closed.then(() => session.removeEventListener("statistics", follow));
}
