import { h, uniqueId } from "../dom.js";
import { icon } from "../icons.js";

/** @typedef {import("../i18n.js").Key} Key */
/** @typedef {{text: Key, value: string, tone?: "primary" | "danger", testid?: string}} DialogAction */

/**
 * Opens a modal dialog; Escape, the cross and a click beside it close it.
 * @param {object} wish
 * @param {Key} wish.title
 * @param {import("../i18n.js").Params} [wish.titleParams]
 * @param {import("../dom.js").Child[]} wish.body
 * @param {DialogAction[]} [wish.actions]
 * @param {string} [wish.testid]
 * @param {string} [wish.className]
 * @returns {{closed: Promise<string>, element: HTMLDialogElement}} `closed`: the value of the action, or ""
 */
export function openDialog({ title, titleParams, body, actions = [], testid, className = "" }) {
  const id = uniqueId("dialog");
  const element = h("dialog", { class: `dialog ${className}`, "data-testid": testid, "aria-labelledby": id });
  const close = (/** @type {string} */ value) => element.close(value);
  const cross = h("button", { type: "button", class: "icon-button", tLabel: "close", onclick: () => close("") }, icon("close"));
  const footer = h("footer", {}, ...actions.map((action, index) => actionButton(action, close, index === 0)));
  element.append(
    h("header", {}, h("h2", { id, t: title, tParams: titleParams }), cross),
    h("div", { class: "dialog-body" }, ...body),
    actions.length ? footer : "",
  );
  element.addEventListener("click", (event) => event.target === element && close(""));
  document.body.append(element);
  element.showModal();
  return { element, closed: whenClosed(element) };
}

/** @param {HTMLDialogElement} element @returns {Promise<string>} */
function whenClosed(element) {
  return new Promise((resolve) => {
    element.addEventListener("close", () => {
      element.remove();
      resolve(element.returnValue);
    });
  });
}

/** The first has the focus: it is the one that does no harm. @param {DialogAction} action
 *  @param {(value: string) => void} close @param {boolean} first */
function actionButton({ text, value, tone, testid }, close, first) {
  const onclick = () => close(value);
  return h("button", { type: "button", class: tone ?? "", t: text, "data-testid": testid, autofocus: first, onclick });
}

/**
 * @param {object} wish
 * @param {Key} wish.title
 * @param {import("../dom.js").Child[]} wish.body
 * @param {Key} wish.yes
 * @param {"primary" | "danger"} [wish.tone]
 * @param {string} [wish.testid]
 */
export async function confirmed({ title, body, yes, tone = "primary", testid = "confirm-dialog" }) {
  const actions = /** @type {DialogAction[]} */ ([
    { text: "cancel", value: "", testid: "confirm-no" },
    { text: yes, value: "yes", tone, testid: "confirm-yes" },
  ]);
  return (await openDialog({ title, body, actions, testid }).closed) === "yes";
}
