import { api } from "../api.js";
import { fill, h, LocalizedElement, uniqueId } from "../dom.js";
import { formatDate, t } from "../i18n.js";
import { icon } from "../icons.js";
import { scriptName, transcriptName } from "../job-name.js";
import { FORMATS, Said, transcribed, transcribing } from "../transcript.js";
import { copyButton } from "./copy-field.js";
import { failureBox } from "./failure.js";
import { attempt } from "./recording-actions.js";
import { openComparison } from "./transcript-compare.js";
import { TranscriptFind } from "./transcript-find.js";
import { TranscriptFollow } from "./transcript-follow.js";
import { TranscriptList } from "./transcript-list.js";
import { TranscriptState, stateOf } from "./transcript-state.js";

/** @typedef {import("../types.js").Job} Job */
/** @typedef {import("./player.js").Player} Player */
/** @typedef {import("./notices.js").Notices} Notices */

/**
 * @typedef {object} PanelWish
 * @property {Player} player
 * @property {Notices} notices
 * @property {(job: Job, result: string) => string | null} address of a result
 * @property {() => void} ask for a transcript
 * @property {() => void} changed another transcript is shown
 */

/** Not loaded before it nearly comes into sight. */
const MARGIN = "300px";

/** What was said in a recording: to be read along, searched, copied and downloaded. */
export class TranscriptPanel extends LocalizedElement {
  /** @param {PanelWish} [wish] */
  constructor(wish) {
    super();
    this.wish = wish;
    /** @type {readonly Job[]} */
    this.jobs = [];
    /** @type {Job | null} whose transcript is shown */
    this.job = null;
    this.version = "";
    this.address = "";
    /** @type {Set<string>} of whom alone something is shown; nobody: of everyone */
    this.chosen = new Set();
    this.mayAsk = false;
    this.list = new TranscriptList();
    this.state = new TranscriptState(() => wish?.ask(), (job) => this.retry(job));
    this.versions = h("select", { id: uniqueId("transcript"), "data-testid": "transcript-version", onchange: () => this.choose(this.versions.value) });
    this.others = h("select", { tLabel: "transcript.compare", "data-testid": "transcript-compare", onchange: () => this.compare() });
    this.versionField = h("div", { class: "version", hidden: true }, h("label", { class: "visually-hidden", for: this.versions.id, t: "transcript.version" }), this.versions, this.others);
    this.about = h("p", { class: "muted small", "data-testid": "transcript-about" });
    this.speakers = h("div", { class: "speakers", role: "group", tLabel: "transcript.speakers", "data-testid": "speakers" });
    this.downloads = h("ul", { "data-testid": "transcript-downloads" });
    this.note = h("div", { class: "transcript-note" });
    this.heading = h("h2", { t: "transcript.title" });
    const video = wish?.player.video ?? document.createElement("video");
    this.follow = new TranscriptFollow(this.list, video);
    this.find = new TranscriptFind(this.list, (index) => this.look(index));
    this.onKey = (/** @type {KeyboardEvent} */ event) => this.key(event);
    this.seen = false;
    this.observer = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && this.comesIntoSight(), { rootMargin: MARGIN });
  }

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    document.addEventListener("keydown", this.onKey);
    if (this.childElementCount) return;
    const copy = copyButton(() => this.text(), "transcript-copy", () => this.copyByHand());
    copy.classList.add("small");
    const menu = h("details", { class: "downloads" }, h("summary", { class: "button small", "data-testid": "transcript-download" }, icon("download"), h("span", { t: "download" })), this.downloads);
    menu.addEventListener("keydown", (event) => event.key === "Escape" && menu.open && this.close(menu));
    menu.addEventListener("focusout", (event) => menu.contains(/** @type {Node | null} */ (event.relatedTarget)) || (event.relatedTarget && (menu.open = false)));
    this.tools = h("div", { class: "transcript-tools" }, this.find.element, this.speakers);
    this.actions = h("div", { class: "actions" }, copy, menu);
    fill(this, h("header", {}, this.heading, this.actions), this.about, this.versionField, this.state, this.tools, this.note, h("div", { class: "transcript-body" }, this.list, this.follow.button));
    this.list.addEventListener("vmeet-play", (event) => this.play(/** @type {CustomEvent} */ (event).detail));
    this.observer.observe(this);
    this.showWhole(false);
  }

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    document.removeEventListener("keydown", this.onKey);
    this.observer.disconnect();
  }

  /** @override */
  localize() {
    if (this.list.said) this.display(this.list.said);
    this.show(this.jobs, this.version, this.isOver ?? true);
  }

  /** @param {readonly Job[]} jobs all of the recording @param {string} version the job whose video is shown
   *  @param {boolean} isOver whether the recording has ended, and can be processed */
  show(jobs, version, isOver) {
    this.jobs = jobs;
    this.isOver = isOver;
    const all = transcribed(jobs);
    const own = all.find((job) => job.id === version || jobs.some((other) => other.id === version && other.results.transcript === job.results.transcript));
    const before = all.find((job) => job.results.transcript === this.job?.results.transcript);
    this.job = (version === this.version ? before : null) ?? own ?? before ?? all[0] ?? null;
    this.version = version;
    this.showVersions(all);
    const asked = transcribing(jobs);
    const isOlder = asked && this.job && asked.created_at_s < this.job.created_at_s;
    const state = isOlder || (!asked && this.job) ? "made" : stateOf(asked);
    this.state.show(asked, this.job && state === "none" ? "made" : state);
    if (state === "none" && !this.job) this.askWhetherToAsk();
    this.dataset.state = this.job ? "made" : state;
    this.hidden = !this.job && state === "none" && !(this.mayAsk && isOver);
    this.showDownloads();
    this.load();
  }

  /** What the player shows beside it. */
  get captions() {
    return this.job ? (this.wish?.address(this.job, "captions") ?? null) : null;
  }

  /** @private @param {Job[]} all */
  showVersions(all) {
    this.versionField.hidden = all.length < 2;
    const option = (/** @type {Job} */ job) => h("option", { value: job.id, selected: job === this.job }, `${transcriptName(job, this.jobs)} · ${formatDate(job.created_at_s)}`);
    this.versions.replaceChildren(...all.map(option));
    this.others.replaceChildren(h("option", { value: "", t: "transcript.compare" }), ...all.filter((job) => job !== this.job).map(option));
  }

  /** The transcript that is shown with another one. @private */
  async compare() {
    const { job, wish } = this;
    const { said } = this.list;
    const other = this.jobs.find(({ id }) => id === this.others.value);
    const address = other && wish?.address(other, "transcript");
    this.others.value = "";
    if (!wish || !job || !said || !address) return;
    await attempt(wish.notices, async () => {
      const read = new Said(await api.transcript(address));
      openComparison([transcriptName(job, this.jobs), said], [transcriptName(other, this.jobs), read], (timeS) => this.play(timeS));
    });
  }

  /** @private @param {string} id */
  choose(id) {
    this.job = this.jobs.find((job) => job.id === id) ?? this.job;
    this.showVersions(transcribed(this.jobs));
    this.showDownloads();
    this.load();
    this.wish?.changed();
  }

  /** Offered only where a transcriber could do it. @private */
  async askWhetherToAsk() {
    if (this.asked) return;
    this.asked = true;
    const { providers, fields = [] } = await api.choices().catch(() => /** @type {import("../types.js").Choices} */ ({ presets: {}, providers: {}, problems: [] }));
    this.mayAsk = fields.includes("transcriber") && Boolean(providers.transcribers?.some((each) => each.allowed));
    if (this.mayAsk) this.wish?.changed();
  }

  /** @private */
  comesIntoSight() {
    this.seen = true;
    this.load();
  }

  /** @private */
  async load() {
    const address = (this.job && this.wish?.address(this.job, "transcript")) ?? "";
    if (!this.seen || address === this.address) return;
    this.address = address;
    this.showWhole(false);
    if (!address) return fill(this.note);
    fill(this.note, h("p", { class: "muted", role: "status", t: "loading" }));
    try {
      const transcript = await api.transcript(address);
      if (address === this.address) this.display(new Said(transcript));
    } catch (error) {
      if (address === this.address) fill(this.note, failureBox(error, () => this.loadAgain()));
    }
  }

  /** @private */
  loadAgain() {
    this.address = "";
    this.load();
  }

  /** @private @param {Said} said */
  display(said) {
    const isEmpty = !said.utterances.length;
    fill(this.note, isEmpty ? h("p", { class: "muted", "data-testid": "transcript-empty", t: "transcript.empty" }) : null);
    this.showWhole(!isEmpty);
    this.about.hidden = false;
    const { transcriber, script } = said.transcript;
    this.about.textContent = [transcriber, scriptName(script)].filter(Boolean).join(" · ");
    this.chosen = new Set([...this.chosen].filter((person) => said.people.includes(person)));
    this.showSpeakers(said);
    this.list.show(said);
    this.filter();
    this.follow.resume();
  }

  /** Nothing of it, or all. @private @param {boolean} whole */
  showWhole(whole) {
    this.list.hidden = !whole;
    if (this.tools) this.tools.hidden = !whole;
    if (this.actions) this.actions.hidden = !this.job;
    if (!whole) this.about.hidden = this.follow.button.hidden = true;
  }

  /** @private @param {Said} said */
  showSpeakers(said) {
    const speaking = new Set(said.utterances.map(({ person }) => person));
    const people = said.people.filter((person) => speaking.has(person) && said.name(person));
    this.speakers.hidden = people.length < 2;
    const chips = people.map((person) => {
      const toggle = () => {
        if (!this.chosen.delete(person)) this.chosen.add(person);
        chip.setAttribute("aria-pressed", String(this.chosen.has(person)));
        this.filter();
      };
      const chip = h("button", { type: "button", class: `small chip speaker-${said.colour(person)}`, "aria-pressed": String(this.chosen.has(person)), onclick: toggle }, said.name(person));
      return chip;
    });
    this.speakers.replaceChildren(...chips);
  }

  /** @private @param {string} person */
  isShown(person) {
    return !this.chosen.size || this.chosen.has(person);
  }

  /** @private */
  filter() {
    this.list.filter((person) => this.isShown(person));
    this.find.search();
  }

  /** @private @param {number} index */
  look(index) {
    this.follow.pause();
    this.list.reach(index);
    this.follow.bring(index);
  }

  /** @private @param {number} timeS */
  play(timeS) {
    this.follow.on = true;
    this.wish?.player.playFrom(timeS);
  }

  /** @private */
  showDownloads() {
    const { job, wish } = this;
    if (this.actions) this.actions.hidden = !job;
    if (!job || !wish) return;
    this.downloads.replaceChildren(
      ...FORMATS.flatMap((format) => {
        const address = wish.address(job, format === "json" ? "transcript" : `transcript-${format}`);
        return address ? [h("li", {}, h("a", { href: `${address}?download=1`, download: "", t: `transcript.as-${format}` }))] : [];
      }),
    );
  }

  /** @private */
  text() {
    return this.list.said?.text((person) => this.isShown(person)) ?? "";
  }

  /** Pages that did not come by https have no clipboard of their own. @private */
  copyByHand() {
    const area = h("textarea", { class: "visually-hidden", "aria-hidden": "true" });
    area.value = this.text();
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    this.wish?.notices.show(t(done ? "copied" : "transcript.no-copy"), { tone: done ? "good" : "danger" });
  }

  /** @private @param {HTMLDetailsElement} menu */
  close(menu) {
    menu.open = false;
    menu.querySelector("summary")?.focus();
  }

  /** @private @param {Job} job */
  retry(job) {
    if (this.wish) attempt(this.wish.notices, () => api.retryJob(job.id));
  }

  /** "/" goes to the search from anywhere. @private @param {KeyboardEvent} event */
  key(event) {
    const inField = event.target instanceof HTMLElement && event.target.matches("input:not([type=range], [type=radio]), select, textarea");
    if (event.key !== "/" || inField || event.ctrlKey || event.metaKey || event.altKey || this.list.hidden || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    this.find.input.focus();
  }
}

customElements.define("vmeet-transcript", TranscriptPanel);
