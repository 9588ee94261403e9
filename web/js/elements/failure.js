import { explain } from "../api.js";
import { h } from "../dom.js";
import { icon } from "../icons.js";

/** What went wrong, in the user's language, with the server's words below. @param {unknown} error @param {() => void} [again] */
export function failureBox(error, again) {
  const { text, detail } = explain(error);
  const retry = again ? h("button", { type: "button", t: "try-again", onclick: again }) : null;
  const words = h("div", {}, h("p", {}, text), detail && detail !== text ? h("p", { class: "detail" }, detail) : null, retry);
  return h("div", { class: "callout danger", role: "alert", "data-testid": "failure" }, icon("warning"), words);
}
