/** Finds the addresses in a text. Nothing here touches the document. */

/** @typedef {{text: string, href: string | null}} Part */

// An address ends at white space, quotes, brackets, control and direction signs, and at Chinese punctuation, which
// follows an address without a space.
const ADDRESS = /https?:\/\/[^\s<>"'`{}|\\^\p{Cc}\p{Cf}\u3000-\u303f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65“”‘’「」]+/giu;
const TRAILING = /[.,;:!?)\]*_~]+$/u;

/**
 * The text in parts: plain ones, and those that are an address. Joined they are the text again.
 * @param {string} text
 * @returns {Part[]}
 */
export function splitLinks(text) {
  /** @type {Part[]} */
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const address = withoutTail(match[0]);
    const href = safeAddress(address);
    if (!href) continue;
    if (match.index > end) parts.push({ text: text.slice(end, match.index), href: null });
    parts.push({ text: address, href });
    end = match.index + address.length;
  }
  if (end < text.length) parts.push({ text: text.slice(end), href: null });
  return parts;
}

/** Without the punctuation of the sentence around it; a bracket that it opened itself stays. @param {string} address */
function withoutTail(address) {
  const bare = address.replace(TRAILING, "");
  const missing = bare.split("(").length - bare.split(")").length;
  return missing > 0 && address[bare.length] === ")" ? `${bare})` : bare;
}

/**
 * Only the web, and no name before the host: `bank.example@other.example` leads elsewhere than it reads.
 * @param {string} address
 */
function safeAddress(address) {
  if (!URL.canParse(address)) return null;
  const url = new URL(address);
  const web = url.protocol === "https:" || url.protocol === "http:";
  return web && !url.username && !url.password ? url.href : null;
}
