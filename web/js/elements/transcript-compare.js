import { h } from "../dom.js";
import { formatClock, formatPercent, t } from "../i18n.js";
import { compared } from "../transcript-diff.js";
import { openDialog } from "./dialogs.js";

/** @typedef {import("../transcript.js").Said} Said */

/** Shows two transcripts side by side, with what differs marked. @param {[string, Said]} one its name first
 *  @param {[string, Said]} other @param {(timeS: number) => void} play */
export function openComparison([oneName, one], [otherName, other], play) {
  const rows = compared(one, other);
  const count = rows.reduce((sum, row) => sum + row.count, 0);
  const same = rows.reduce((sum, row) => sum + row.same, 0);
  const summary = h("p", { class: "muted", "data-testid": "compared-same", t: "transcript.same", tParams: { percent: formatPercent(count ? same / count : 1) } });
  const head = h("div", { class: "compared-row compared-head" }, h("span", {}), h("strong", {}, oneName), h("strong", {}, otherName));
  const dialog = openDialog({ title: "transcript.compare-title", body: [summary, h("div", { class: "compared" }, head, ...rows.map(element))], testid: "compare-dialog", className: "comparison" });

  /** @param {import("../transcript-diff.js").Row} row */
  function element({ person, startS, sides }) {
    const name = one.name(person) || other.name(person);
    const clock = formatClock(startS);
    const go = () => {
      dialog.element.close();
      play(startS);
    };
    const time = h("button", { type: "button", class: "quiet small", "aria-label": t("transcript.play-from", { time: clock }), onclick: go }, clock);
    const columns = sides.map((pieces) => h("p", {}, ...pieces.map(({ text, same }) => (same ? text : h("mark", {}, text)))));
    return h("div", { class: `compared-row speaker-${one.colour(person)}` }, h("div", {}, time, h("span", { class: "who" }, name)), ...columns);
  }
}
