import { fill, h, LocalizedElement } from "../dom.js";
import { formatBitrate, formatLoss, formatMilliseconds } from "../measures.js";
import { qualityOf } from "../quality.js";
import { LiveTable } from "./live-table.js";
import { QualitySign } from "./quality-sign.js";

/** @typedef {import("../protocol.js").Statistics} Statistics */
/** @typedef {import("../protocol.js").SentStatistics} SentStatistics */
/** @typedef {import("../protocol.js").ReceivedStatistics} ReceivedStatistics */
/** @typedef {import("../protocol.js").PersonStatistics} PersonStatistics */
/** @typedef {import("../i18n.js").Key} Key */
/** @typedef {Map<string, {name: string}>} People by id */
/** @typedef {(id: string) => string} NameOf */

/** What the server measures: of what this person sends and receives, and of everyone. */
export class StatisticsView extends LocalizedElement {
  constructor() {
    super();
    /** @type {Statistics | null} */
    this.statistics = null;
    /** @type {People} */
    this.people = new Map();
    this.facts = h("dl", { class: "facts-list", "data-testid": "received-facts" });
    this.sent = new LiveTable("stats.sent", ["stats.source", "stats.bitrate", "stats.loss", "stats.jitter", "stats.rtt"], "statistics-sent");
    this.received = new LiveTable("stats.received", ["stats.picture", "stats.layer", "stats.bitrate"], "statistics-received");
    this.everyone = new LiveTable("stats.everyone", ["stats.person", "stats.loss", "stats.jitter", "stats.rtt", "stats.sends", "stats.receives"], "statistics-everyone");
    this.none = h("p", { class: "muted", t: "stats.none" });
    this.nothing = h("p", { class: "muted", t: "stats.nothing-sent" });
    this.parts = [
      part("stats.sent", this.sent, this.nothing),
      part("stats.received", this.facts, this.received),
      part("stats.everyone", this.everyone),
    ];
  }

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    if (!this.childElementCount) this.append(this.none, ...this.parts);
    this.localize();
  }

  /** @param {Statistics | null} statistics @param {People} people */
  show(statistics, people) {
    this.statistics = statistics;
    this.people = people;
    this.localize();
  }

  /** @override */
  localize() {
    const all = this.statistics;
    this.none.hidden = Boolean(all);
    for (const each of this.parts) each.hidden = !all;
    if (!all) return;
    const nameOf = (/** @type {string} */ id) => this.people.get(id)?.name ?? "";
    this.nothing.hidden = all.sent.length > 0;
    this.sent.show(all.sent.map(sentRow));
    fill(this.facts, ...receivedFacts(all));
    this.received.show(all.received.map((each) => receivedRow(each, nameOf)));
    this.everyone.show(all.people.map((each) => personRow(each, nameOf)));
  }
}

/** @param {SentStatistics} sent */
function sentRow(sent) {
  const { source, bitrate_bps: bitrate, loss, jitter_s: jitter, rtt_s: rtt } = sent;
  return [text(`stats.source-${source}`), formatBitrate(bitrate), formatLoss(loss), formatMilliseconds(jitter), formatMilliseconds(rtt)];
}

/** @param {Statistics} all */
function receivedFacts(all) {
  /** @type {[Key, string][]} */
  const facts = [
    ["stats.estimate", formatBitrate(all.estimate_bps)],
    ["stats.bitrate", formatBitrate(all.received_bps)],
    ["stats.loss", formatLoss(all.received_loss)],
    ["stats.rtt", formatMilliseconds(all.rtt_s)],
  ];
  return facts.map(([key, value]) => h("div", {}, h("dt", { t: key }), h("dd", {}, value)));
}

/** @param {ReceivedStatistics} picture @param {NameOf} nameOf */
function receivedRow(picture, nameOf) {
  const name = nameOf(picture.participant_id);
  const title = picture.source === "screen" ? h("span", { t: "stats.screen-of", tParams: { name } }) : name;
  return [title, layerName(picture), formatBitrate(picture.layer ? picture.bitrate_bps : null)];
}

/** How large, and how many of the pictures that were taken. @param {ReceivedStatistics} picture */
function layerName({ layer, temporal }) {
  if (!layer) return text("stats.paused");
  const rate = temporal >= 2 ? "all" : temporal === 1 ? "half" : "quarter";
  return h("span", { class: "layer" }, text(`stats.layer-${layer}`), " · ", text(`stats.rate-${rate}`));
}

/** @param {PersonStatistics} person @param {NameOf} nameOf */
function personRow(person, nameOf) {
  const quality = new QualitySign();
  quality.show(qualityOf(person));
  const who = h("span", { class: "person" }, quality, h("span", { class: "name" }, nameOf(person.participant_id)));
  const way = [formatLoss(person.loss), formatMilliseconds(person.jitter_s), formatMilliseconds(person.rtt_s)];
  return [who, ...way, formatBitrate(person.sent_bps), formatBitrate(person.received_bps)];
}

/** @param {Key} key */
function text(key) {
  return h("span", { t: key });
}

/** @param {Key} title @param {...Node} content */
function part(title, ...content) {
  return h("section", { class: "statistics-part" }, h("h3", { t: title }), ...content);
}

customElements.define("vmeet-statistics", StatisticsView);
