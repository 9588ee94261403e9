import { api, ApiError } from "../api.js";
import { fill, h } from "../dom.js";
import { say } from "../i18n.js";
import { icon } from "../icons.js";
import { CreateForm } from "./create-form.js";
import { failureBox } from "./failure.js";
import { JoinForm } from "./join-form.js";
import { KeyForm } from "./key-form.js";
import { openPlugins } from "./plugins-dialog.js";
import { topBar } from "./top-bar.js";

/** The first page: create a meeting or join one. */
export class HomePage extends HTMLElement {
  constructor() {
    super();
    this.creation = h("section", { class: "card" });
    this.plugins = h("button", { type: "button", class: "quiet small", "data-testid": "plugins", hidden: true, onclick: openPlugins });
  }

  connectedCallback() {
    const hero = h("div", { class: "hero" }, h("h1", { t: "home.title" }), h("p", { class: "lead", t: "home.lead" }));
    const join = h("section", { class: "card" }, new JoinForm());
    const main = h("main", { id: "main" }, hero, h("div", { class: "home-cards" }, this.creation, join));
    fill(this, topBar(), main, h("footer", { class: "page-footer" }, this.plugins));
    this.addEventListener("vmeet-key", () => this.load());
    this.addEventListener("vmeet-key-needed", () => fill(this.creation, new KeyForm()));
    this.load();
  }

  /** @private */
  async load() {
    fill(this.creation, h("p", { class: "loading", role: "status", t: "loading" }));
    try {
      const choices = await api.choices();
      fill(this.creation, new CreateForm(choices));
      this.showPlugins(choices.problems.length);
    } catch (error) {
      const keyNeeded = error instanceof ApiError && error.code === "key-needed";
      fill(this.creation, keyNeeded ? new KeyForm() : failureBox(error, () => this.load()));
    }
  }

  /** @private @param {number} problems */
  showPlugins(problems) {
    const text = h("span", {});
    say(text, problems ? "home.plugin-problems" : "home.plugins", problems ? { count: problems } : undefined);
    this.plugins.hidden = false;
    this.plugins.classList.toggle("problem-link", problems > 0);
    fill(this.plugins, icon(problems ? "warning" : "settings"), text);
  }
}

customElements.define("vmeet-home", HomePage);
