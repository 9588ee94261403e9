import { h } from "../dom.js";
import { say } from "../i18n.js";
import { icon } from "../icons.js";
import { LevelBar } from "./level-bar.js";
import { OwnPicture } from "./own-picture.js";

/** @typedef {import("../local-media.js").LocalMedia} LocalMedia */
/** @typedef {import("../local-media.js").LocalKind} LocalKind */

/** The own picture and loudness, with the two switches, and what is wrong with a device. */
export class Preview extends HTMLElement {
  /** @param {import("../session.js").Session | null} [session] where effects may be in force */
  constructor(session = null) {
    super();
    /** @type {LocalMedia | null} */
    this.media = null;
    this.picture = new OwnPicture();
    this.picture.session = session;
    this.level = new LevelBar();
    this.off = h("p", { class: "preview-off", t: "lobby.camera-off" });
    /** @type {Record<LocalKind, HTMLButtonElement>} */
    this.buttons = { microphone: this.button("microphone"), camera: this.button("camera") };
    /** @type {Record<LocalKind, HTMLElement>} */
    this.problems = { microphone: problemLine("microphone"), camera: problemLine("camera") };
    this.changed = () => this.show();
  }

  connectedCallback() {
    if (!this.childElementCount) {
      this.picture.media = this.media;
      const switches = h("div", { class: "preview-switches" }, this.buttons.microphone, this.buttons.camera);
      this.append(
        h("div", { class: "preview-picture" }, this.picture, this.off, this.level, switches),
        h("div", { class: "preview-problems", role: "status" }, this.problems.microphone, this.problems.camera),
      );
    }
    this.media?.addEventListener("change", this.changed);
    this.show();
  }

  disconnectedCallback() {
    this.media?.removeEventListener("change", this.changed);
  }

  /** @private @param {LocalKind} kind */
  button(kind) {
    const toggle = () => this.media?.set(kind, !this.media[kind].on);
    return h("button", { type: "button", class: "round", "data-testid": `preview-${kind}`, onclick: toggle });
  }

  /** @private */
  show() {
    if (!this.media) return;
    const { camera, microphone } = this.media;
    this.toggleAttribute("data-picture", Boolean(camera.track));
    this.level.listenTo(microphone.on ? microphone.track : null);
    for (const kind of /** @type {LocalKind[]} */ (["microphone", "camera"])) {
      showSwitch(this.buttons[kind], kind, this.media[kind].on);
      const problem = this.media[kind].problem;
      this.problems[kind].hidden = !problem;
      const text = this.problems[kind].lastElementChild;
      if (problem && text) say(text, `problem.${kind}-${problem}`);
    }
  }
}

/** @param {LocalKind} kind */
function problemLine(kind) {
  return h("p", { class: "problem", hidden: true, "data-testid": `problem-${kind}` }, icon("warning"), h("span", {}));
}

/**
 * A button that turns a source off or on; its label says which. `data-on` tells the present state.
 * @param {HTMLButtonElement} button
 * @param {LocalKind} kind
 * @param {boolean} on
 */
export function showSwitch(button, kind, on) {
  const sign = icon(on ? kind : `${kind}-off`);
  if (button.firstElementChild) button.firstElementChild.replaceWith(sign);
  else button.append(sign);
  button.classList.toggle("off", !on);
  button.dataset.on = String(on);
  say(button, on ? `toolbar.${kind}-turn-off` : `toolbar.${kind}-turn-on`, undefined, "tLabel");
  say(button, on ? `toolbar.${kind}-turn-off` : `toolbar.${kind}-turn-on`, undefined, "tTitle");
}

customElements.define("vmeet-preview", Preview);
