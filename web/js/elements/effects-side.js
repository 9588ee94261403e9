import { h } from "../dom.js";
import { icon } from "../icons.js";
import { EffectsPanel } from "./effects-panel.js";
import { OwnPicture } from "./own-picture.js";

/** The effects beside the pictures of a meeting. Event: `vmeet-action` with "effects" (close). */
export class EffectsSide extends HTMLElement {
  /** @param {import("../session.js").Session} [session] */
  constructor(session) {
    super();
    this.session = session ?? null;
    this.heading = h("h2", { tabindex: -1, t: "effects.title" });
    this.body = h("div", { class: "effects-body" });
  }

  connectedCallback() {
    if (this.childElementCount) return;
    this.setAttribute("role", "complementary");
    this.classList.add("side-panel");
    const ask = () => this.dispatchEvent(new CustomEvent("vmeet-action", { detail: "effects" }));
    const close = h("button", { type: "button", class: "icon-button", tLabel: "close", onclick: ask }, icon("close"));
    this.append(h("header", {}, this.heading, close), this.body);
  }

  /** Made when it is opened: the pictures to choose from are loaded then. @param {boolean} open */
  setOpen(open) {
    const opens = open && this.hidden;
    this.hidden = !open;
    const { session } = this;
    if (!open) this.body.replaceChildren();
    if (!opens || !session?.effects) return;
    const own = new OwnPicture(); // on a phone the panel covers the tiles
    [own.media, own.session] = [session.media, session];
    this.body.replaceChildren(h("div", { class: "effects-own" }, own), new EffectsPanel(session.effects, session));
    this.heading.focus();
  }
}

customElements.define("vmeet-effects-side", EffectsSide);
