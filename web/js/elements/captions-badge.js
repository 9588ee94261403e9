import { h } from "../dom.js";
import { say } from "../i18n.js";
import { icon } from "../icons.js";

/** @typedef {import("../protocol.js").CaptionsInfo} CaptionsInfo */
/** @typedef {import("../i18n.js").Key} Key */

/** @type {Record<CaptionsInfo["state"], Key>} */
const WORDS = { starting: "captions.badge-starting", on: "captions.badge", behind: "captions.badge-behind", failed: "captions.badge-failed" };

/** That what is said is written down, for as long as the meeting has captions; hidden where it has none. */
export class CaptionsBadge extends HTMLElement {
  constructor() {
    super();
    this.words = h("span", {});
  }

  connectedCallback() {
    this.dataset.testid = "captions-badge";
    if (this.childElementCount) return;
    this.hidden = true;
    this.append(icon("captions"), this.words);
  }

  /** @param {CaptionsInfo | null} captions */
  show(captions) {
    this.hidden = !captions;
    if (!captions) return;
    this.dataset.state = captions.state;
    say(this.words, WORDS[captions.state]);
    say(this, captions.leaves_host ? "captions.told-away" : "captions.told", { title: captions.title }, "tTitle");
  }
}

customElements.define("vmeet-captions-badge", CaptionsBadge);
