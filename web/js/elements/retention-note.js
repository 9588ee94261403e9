import { fill, h, LocalizedElement } from "../dom.js";
import { formatDate, formatSize, t } from "../i18n.js";
import { icon } from "../icons.js";

/** A line of what is deleted by itself, and what is next; empty without such a rule. */
export class RetentionNote extends LocalizedElement {
  constructor() {
    super();
    /** @type {import("../types.js").Retention | null} */
    this.retention = null;
  }

  /** @override */
  localize() {
    if (this.retention) this.show(this.retention);
  }

  /** @param {import("../types.js").Retention} retention */
  show(retention) {
    this.retention = retention;
    this.dataset.testid = "retention";
    const { max_age_days, max_total_bytes, total_bytes, next } = retention;
    this.hidden = !(max_age_days || max_total_bytes);
    const rules = [
      max_age_days ? t("retention.age", { count: max_age_days }) : "",
      max_total_bytes ? t("retention.size", { size: formatSize(max_total_bytes), total: formatSize(total_bytes) }) : "",
    ];
    const text = h("span", {}, rules.filter(Boolean).join(" "));
    fill(this, icon("clock"), h("p", { class: "small" }, text, " ", ...(next ? nextWords(next) : [])));
  }
}

/** @param {NonNullable<import("../types.js").Retention["next"]>} next */
function nextWords({ id, title, at_s }) {
  return [h("span", {}, whenWords(at_s)), " ", h("a", { href: `/recordings/${encodeURIComponent(id)}` }, title || t("recordings.untitled"))];
}

/** @param {number | null} atS */
function whenWords(atS) {
  if (atS === null) return t("retention.next-room");
  return atS * 1000 <= Date.now() ? t("retention.next-now") : t("retention.next-at", { date: formatDate(atS) });
}

customElements.define("vmeet-retention", RetentionNote);
