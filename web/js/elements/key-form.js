import { api } from "../api.js";
import { fill, h, uniqueId } from "../dom.js";
import { icon } from "../icons.js";
import { failureBox } from "./failure.js";

/** Asks for the server's access key. Event: `vmeet-key` when the server has accepted it. */
export class KeyForm extends HTMLElement {
  connectedCallback() {
    if (this.childElementCount) return;
    this.dataset.testid = "key-form";
    const id = uniqueId("key");
    const input = h("input", { type: "password", id, required: true, autocomplete: "current-password", "data-testid": "key" });
    const failure = h("div", {});
    const submit = async (/** @type {Event} */ event) => {
      event.preventDefault();
      try {
        await api.login(input.value);
        this.dispatchEvent(new CustomEvent("vmeet-key", { bubbles: true }));
      } catch (error) {
        fill(failure, failureBox(error));
        input.select();
      }
    };
    this.append(
      h("h2", {}, icon("key"), h("span", { t: "key.title" })),
      h("p", { class: "muted", t: "key.hint" }),
      h(
        "form",
        { onsubmit: submit },
        h("div", { class: "field" }, h("label", { for: id, t: "key.field" }), input),
        failure,
        h("button", { type: "submit", class: "primary", t: "key.button", "data-testid": "key-submit" }),
      ),
    );
  }
}

customElements.define("vmeet-key-form", KeyForm);
