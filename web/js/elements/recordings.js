import { api, ApiError, explain } from "../api.js";
import { fill, h, LocalizedElement } from "../dom.js";
import { say, t } from "../i18n.js";
import { icon } from "../icons.js";
import { LiveRecordings } from "../live-recordings.js";
import { failureBox } from "./failure.js";
import { KeyForm } from "./key-form.js";
import { Notices } from "./notices.js";
import { attempt } from "./recording-actions.js";
import { RecordingCard } from "./recording-card.js";
import { RetentionNote } from "./retention-note.js";
import { topBar } from "./top-bar.js";
import { acceptDrops, Uploads } from "./uploads.js";

/** @typedef {import("../types.js").Recording} Recording */
/** @typedef {import("../types.js").RecordingList} RecordingList */

const TYPING_MS = 200;

/** The page with all recordings, newest first, and the search over what is known of them. */
export class RecordingsPage extends LocalizedElement {
  constructor() {
    super();
    /** @type {Map<string, RecordingCard>} */
    this.cards = new Map();
    this.live = new LiveRecordings();
    this.notices = new Notices();
    this.filter = h("input", { type: "search", tPlaceholder: "recordings.filter", tLabel: "recordings.filter", "data-testid": "filter" });
    this.list = h("div", { class: "recording-list", role: "list", "data-testid": "recordings" });
    this.note = h("div", { class: "empty", role: "status", "data-testid": "empty", hidden: true });
    this.more = h("button", { type: "button", class: "more", t: "recordings.more", hidden: true, "data-testid": "more", onclick: () => this.loadMore() });
    this.waiting = h("p", { class: "callout warning", role: "status", t: "recordings.database-waiting", hidden: true, "data-testid": "database-waiting" });
    this.query = "";
    this.total = 0;
    this.asked = 0;
    this.onKey = (/** @type {KeyboardEvent} */ event) => this.key(event);
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
    document.addEventListener("keydown", this.onKey);
    if (this.childElementCount) return;
    const search = h("label", { class: "search" }, icon("search"), this.filter);
    const head = h("div", { class: "page-head" }, h("h1", { t: "recordings.title" }), this.count, search, this.uploads.button);
    const main = h("main", { id: "main" }, head, this.stale, this.waiting, this.uploads, this.body, this.retention);
    acceptDrops(main, this.uploads);
    fill(this, topBar(), main, this.notices);
    document.title = `${t("recordings.title")} · VMeet`;
    this.filter.value = new URLSearchParams(location.search).get("q") ?? "";
    this.query = this.filter.value.trim();
    this.filter.addEventListener("input", () => this.typed());
    this.addEventListener("vmeet-deleted", (event) => this.forget(/** @type {CustomEvent} */ (event).detail));
    this.addEventListener("vmeet-key", () => this.load());
    this.follow();
    this.load();
  }

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    document.removeEventListener("keydown", this.onKey);
    clearTimeout(this.typing);
    this.live.close();
  }

  /** @override */
  localize() {
    document.title = `${t("recordings.title")} · VMeet`;
    this.showCount();
  }

  /** @private */
  follow() {
    let lost = false;
    this.live.addEventListener("recording", (event) => this.update(/** @type {CustomEvent} */ (event).detail));
    this.live.addEventListener("deleted", (event) => this.forget(/** @type {CustomEvent} */ (event).detail));
    this.live.addEventListener("database", (event) => (this.waiting.hidden = !(/** @type {CustomEvent} */ (event).detail)));
    this.live.addEventListener("upload", (event) => this.uploads.heard(/** @type {CustomEvent} */ (event).detail));
    this.live.addEventListener("upload-deleted", (event) => this.uploads.gone(/** @type {CustomEvent} */ (event).detail));
    this.live.addEventListener("live", (event) => {
      const open = /** @type {CustomEvent} */ (event).detail;
      this.stale.hidden = open;
      if (open && lost) this.load();
      lost = !open;
    });
  }

  /** "/" goes to the search from anywhere. @private @param {KeyboardEvent} event */
  key(event) {
    const inField = event.target instanceof HTMLElement && event.target.matches("input, select, textarea, [contenteditable]");
    if (event.key !== "/" || inField || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.filter.focus();
  }

  /** @private */
  typed() {
    clearTimeout(this.typing);
    this.typing = setTimeout(() => this.search(), TYPING_MS);
  }

  /** @private */
  search() {
    const query = this.filter.value.trim();
    if (query === this.query) return;
    this.query = query;
    history.replaceState(null, "", query ? `?${new URLSearchParams({ q: query })}` : location.pathname);
    this.load();
  }

  /** @private */
  async load() {
    const asked = ++this.asked;
    if (!this.cards.size) fill(this.body, h("p", { class: "loading", role: "status", t: "loading" }));
    this.list.setAttribute("aria-busy", "true");
    try {
      const answer = await api.recordings(this.query);
      if (asked !== this.asked) return; // something else has been typed meanwhile
      this.showAll(answer);
      if (!this.live.source) this.live.open();
      await attempt(this.notices, async () => this.uploads.load());
      await this.loadRetention();
    } catch (error) {
      if (asked !== this.asked) return;
      const keyNeeded = error instanceof ApiError && error.code === "key-needed";
      fill(this.body, keyNeeded ? h("div", { class: "card narrow" }, new KeyForm()) : failureBox(error, () => this.load()));
    } finally {
      if (asked === this.asked) this.list.removeAttribute("aria-busy");
    }
  }

  /** @private */
  async loadMore() {
    const asked = this.asked;
    this.more.disabled = true;
    try {
      const answer = await api.recordings(this.query, this.cards.size);
      if (asked !== this.asked) return;
      const before = this.list.childElementCount;
      this.addPage(answer);
      const first = this.list.children[before]?.querySelector("a.title");
      if (first instanceof HTMLElement) first.focus();
    } catch (error) {
      const { text, detail } = explain(error);
      this.notices.show(text, { detail, tone: "danger" });
    } finally {
      this.more.disabled = false;
    }
  }

  /** @private */
  async loadRetention() {
    await attempt(this.notices, async () => this.retention.show(await api.retention()));
  }

  /** @private @param {RecordingList} answer */
  showAll(answer) {
    const known = new Set(answer.recordings.map((recording) => recording.id));
    for (const [id, card] of this.cards) if (!known.has(id)) this.drop(id, card);
    fill(this.body, this.list, this.more, this.note);
    this.addPage(answer);
  }

  /** After what is there: newest first, a search's in its order. @private @param {RecordingList} answer */
  addPage({ recordings, total }) {
    const ordered = this.query ? recordings : [...recordings].sort((a, b) => b.started_at_s - a.started_at_s);
    for (const recording of ordered) {
      const card = this.cards.get(recording.id) ?? new RecordingCard(recording, this.notices);
      this.cards.set(recording.id, card);
      this.list.append(card);
      card.show(recording);
    }
    this.total = total ?? recordings.length;
    this.showCount();
  }

  /** Something about a recording has changed, or it is new. @private @param {Recording} recording */
  update(recording) {
    const card = this.cards.get(recording.id);
    if (card) card.show({ ...recording, hits: card.recording?.hits });
    else if (!this.query) this.add(recording);
  }

  /** @private @param {Recording} recording */
  add(recording) {
    const card = new RecordingCard(recording, this.notices);
    const older = [...this.list.children].find((other) => other instanceof RecordingCard && (other.recording?.started_at_s ?? 0) < recording.started_at_s);
    if (!older && this.cards.size < this.total) return; // it is in the part that is not shown yet
    this.cards.set(recording.id, card);
    this.list.insertBefore(card, older ?? null);
    this.total += 1;
    this.showCount();
  }

  /** @private @param {string} id */
  forget(id) {
    const card = this.cards.get(id);
    if (!card) return;
    const hadFocus = card.contains(document.activeElement) || document.activeElement === document.body;
    this.drop(id, card);
    this.total -= 1;
    this.notices.show(t("delete.done"));
    if (hadFocus) this.filter.focus();
    this.showCount();
    if (!this.retention.hidden) this.loadRetention();
  }

  /** @private @param {string} id @param {RecordingCard} card */
  drop(id, card) {
    card.remove();
    this.cards.delete(id);
  }

  /** @private */
  showCount() {
    say(this.count, this.query ? "recordings.found" : "recordings.count", { count: this.total });
    this.count.hidden = !this.total;
    this.more.hidden = this.cards.size >= this.total;
    this.note.hidden = this.total > 0;
    if (!this.total) this.showNote();
  }

  /** @private */
  showNote() {
    if (this.query) return fill(this.note, icon("search"), h("h2", { t: "recordings.no-match" }), h("p", { class: "muted", t: "recordings.no-match-hint" }));
    const start = h("a", { class: "button primary", href: "/", t: "home.create" });
    return fill(this.note, icon("film"), h("h2", { t: "recordings.empty" }), h("p", { class: "muted", t: "recordings.empty-hint" }), start);
  }
}

customElements.define("vmeet-recordings", RecordingsPage);
