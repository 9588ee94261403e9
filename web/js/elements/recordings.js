import { api, ApiError } from "../api.js";
import { fill, h, LocalizedElement } from "../dom.js";
import { say, t } from "../i18n.js";
import { icon } from "../icons.js";
import { LiveRecordings, matchesFilter } from "../live-recordings.js";
import { failureBox } from "./failure.js";
import { KeyForm } from "./key-form.js";
import { Notices } from "./notices.js";
import { attempt } from "./recording-actions.js";
import { RecordingCard } from "./recording-card.js";
import { RetentionNote } from "./retention-note.js";
import { topBar } from "./top-bar.js";
import { acceptDrops, Uploads } from "./uploads.js";

/** @typedef {import("../types.js").Recording} Recording */

/** The page with all recordings, newest first. */
export class RecordingsPage extends LocalizedElement {
  constructor() {
    super();
    /** @type {Map<string, RecordingCard>} */
    this.cards = new Map();
    this.live = new LiveRecordings();
    this.notices = new Notices();
    this.filter = h("input", { type: "search", tPlaceholder: "recordings.filter", tLabel: "recordings.filter", "data-testid": "filter" });
    this.list = h("div", { class: "recording-list", role: "list", "data-testid": "recordings" });
    this.note = h("div", { class: "empty", "data-testid": "empty", hidden: true });
    this.count = h("p", { class: "muted", role: "status" });
    this.stale = h("p", { class: "callout warning", t: "recordings.live-lost", hidden: true });
    this.body = h("div", {});
    this.uploads = new Uploads(this.notices);
    this.retention = new RetentionNote();
    this.retention.hidden = true;
  }

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    if (this.childElementCount) return;
    const search = h("label", { class: "search" }, icon("search"), this.filter);
    const head = h("div", { class: "page-head" }, h("h1", { t: "recordings.title" }), this.count, search, this.uploads.button);
    const main = h("main", { id: "main" }, head, this.stale, this.uploads, this.body, this.retention);
    acceptDrops(main, this.uploads);
    fill(this, topBar(), main, this.notices);
    document.title = `${t("recordings.title")} · VMeet`;
    this.filter.addEventListener("input", () => this.applyFilter());
    this.addEventListener("vmeet-deleted", (event) => this.forget(/** @type {CustomEvent} */ (event).detail));
    this.addEventListener("vmeet-key", () => this.load());
    this.follow();
    this.load();
  }

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    this.live.close();
  }

  /** @override */
  localize() {
    document.title = `${t("recordings.title")} · VMeet`;
    this.applyFilter();
  }

  /** @private */
  follow() {
    let lost = false;
    this.live.addEventListener("recording", (event) => this.update(/** @type {CustomEvent} */ (event).detail));
    this.live.addEventListener("deleted", (event) => this.forget(/** @type {CustomEvent} */ (event).detail));
    this.live.addEventListener("upload", (event) => this.uploads.heard(/** @type {CustomEvent} */ (event).detail));
    this.live.addEventListener("upload-deleted", (event) => this.uploads.gone(/** @type {CustomEvent} */ (event).detail));
    this.live.addEventListener("live", (event) => {
      const open = /** @type {CustomEvent} */ (event).detail;
      this.stale.hidden = open;
      if (open && lost) this.load();
      lost = !open;
    });
  }

  /** @private */
  async load() {
    if (!this.cards.size) fill(this.body, h("p", { class: "loading", role: "status", t: "loading" }));
    try {
      this.showAll(await api.recordings());
      if (!this.live.source) this.live.open();
      await attempt(this.notices, async () => this.uploads.load());
      await this.loadRetention();
    } catch (error) {
      const keyNeeded = error instanceof ApiError && error.code === "key-needed";
      fill(this.body, keyNeeded ? h("div", { class: "card narrow" }, new KeyForm()) : failureBox(error, () => this.load()));
    }
  }

  /** @private */
  async loadRetention() {
    await attempt(this.notices, async () => this.retention.show(await api.retention()));
  }

  /** @private @param {Recording[]} recordings */
  showAll(recordings) {
    const known = new Set(recordings.map((recording) => recording.id));
    for (const id of this.cards.keys()) if (!known.has(id)) this.forget(id);
    for (const recording of recordings) this.update(recording);
    fill(this.body, this.list, this.note);
    this.applyFilter();
  }

  /** @private @param {Recording} recording */
  update(recording) {
    const card = this.cards.get(recording.id);
    if (card) card.show(recording);
    else this.add(recording);
    this.applyFilter();
  }

  /** @private @param {Recording} recording */
  add(recording) {
    const card = new RecordingCard(recording, this.notices);
    this.cards.set(recording.id, card);
    const older = [...this.list.children].find((other) => other instanceof RecordingCard && (other.recording?.started_at_s ?? 0) < recording.started_at_s);
    this.list.insertBefore(card, older ?? null);
  }

  /** @private @param {string} id */
  forget(id) {
    const card = this.cards.get(id);
    if (!card) return;
    const hadFocus = card.contains(document.activeElement) || document.activeElement === document.body;
    card.remove();
    this.cards.delete(id);
    this.notices.show(t("delete.done"));
    if (hadFocus) this.filter.focus();
    this.applyFilter();
    if (!this.retention.hidden) this.loadRetention();
  }

  /** @private */
  applyFilter() {
    let shown = 0;
    for (const card of this.cards.values()) {
      card.hidden = !(card.recording && matchesFilter(card.recording, this.filter.value));
      if (!card.hidden) shown += 1;
    }
    say(this.count, "recordings.count", { count: shown });
    this.count.hidden = !shown;
    this.note.hidden = shown > 0;
    if (!shown) this.showNote(this.cards.size > 0);
  }

  /** @private @param {boolean} filtered */
  showNote(filtered) {
    if (filtered) return fill(this.note, icon("search"), h("h2", { t: "recordings.no-match" }));
    const start = h("a", { class: "button primary", href: "/", t: "home.create" });
    return fill(this.note, icon("film"), h("h2", { t: "recordings.empty" }), h("p", { class: "muted", t: "recordings.empty-hint" }), start);
  }
}

customElements.define("vmeet-recordings", RecordingsPage);
