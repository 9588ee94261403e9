import { h, uniqueId } from "../dom.js";
import { say } from "../i18n.js";
import { cleanName, MAX_NAME_CHARS } from "../protocol.js";
import { remembered } from "../storage.js";

/**
 * The address of the meeting that a link or a code names; null when it names none.
 * @param {string} text
 * @param {string} [origin] of this server
 */
export function meetingAddress(text, origin = location.origin) {
  const trimmed = text.trim();
  if (/^[\w-]{4,64}$/.test(trimmed)) return `${origin}/m/${trimmed}`;
  try {
    const url = new URL(/^[a-z]+:\/\//i.test(trimmed) ? trimmed : `https://${trimmed}`);
    const code = /^\/m\/([\w-]+)\/?$/.exec(url.pathname)?.[1];
    return code && /^https?:$/.test(url.protocol) ? `${url.origin}/m/${code}` : null;
  } catch {
    return null;
  }
}

/** Joins by link or code; the name is known in the lobby. */
export class JoinForm extends HTMLElement {
  connectedCallback() {
    if (this.childElementCount) return;
    const link = h("input", { type: "text", id: uniqueId("link"), required: true, autocomplete: "off", spellcheck: "false", "data-testid": "join-link", tPlaceholder: "home.join-link-placeholder" });
    const name = h("input", { type: "text", id: uniqueId("name"), maxlength: MAX_NAME_CHARS, autocomplete: "name", value: remembered.name(), "data-testid": "join-name" });
    const invalid = h("p", { class: "invalid", role: "alert", hidden: true });
    const submit = (/** @type {Event} */ event) => {
      event.preventDefault();
      const address = meetingAddress(link.value);
      invalid.hidden = Boolean(address);
      link.setAttribute("aria-invalid", String(!address));
      if (cleanName(name.value)) remembered.setName(cleanName(name.value));
      if (address) location.assign(address);
      else say(invalid, "home.join-bad");
    };
    this.append(
      h("h2", { t: "home.join" }),
      h(
        "form",
        { onsubmit: submit, novalidate: true },
        h("div", { class: "field" }, h("label", { for: link.id, t: "home.join-link" }), link, invalid),
        h("div", { class: "field" }, h("label", { for: name.id, t: "home.join-name" }), name),
        h("button", { type: "submit", class: "large", t: "home.join-button", "data-testid": "join-submit" }),
      ),
    );
  }
}

customElements.define("vmeet-join", JoinForm);
