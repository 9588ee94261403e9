import { t } from "../i18n.js";
import { askRecording, tellRecording } from "./meeting-dialogs.js";

/** @typedef {import("../session.js").Session} Session */
/** @typedef {import("../protocol.js").LeftOutBy} LeftOutBy */

const STOPPED_S = 8;
const CHANGED_S = 12;

/** Tells of recordings, and asks this person where there is a choice. */
export class RecordingNews {
  /** @param {Session} session @param {import("./recording-badge.js").RecordingBadge} badge @param {import("./notices.js").Notices} notices */
  constructor(session, badge, notices) {
    this.session = session;
    this.badge = badge;
    this.notices = notices;
    /** @type {string | null | undefined} the id of the recording that this person knows of; undefined: of none */
    this.known = undefined;
    /** @type {LeftOutBy | null | undefined} undefined: not known yet */
    this.leftOut = undefined;
    session.addEventListener("welcome", () => this.welcomed());
    session.addEventListener("recording", (event) => this.changed(/** @type {CustomEvent} */ (event).detail));
    session.addEventListener("people", () => this.peopleChanged());
  }

  /** Everyone who comes while a recording runs is told, and must have seen it. @private */
  async welcomed() {
    const { session } = this;
    const { active, recording_id } = session.recording;
    this.leftOut = session.leftOut;
    this.show();
    if (!active) return this.forget();
    const known = this.known === recording_id;
    this.known = recording_id;
    if (known) return session.recordingSeen();
    if (this.isUnanswered) return this.ask();
    await this.tell();
    return session.recordingSeen();
  }

  /** @private @param {import("../protocol.js").RecordingChanged} message */
  changed({ recording, reason }) {
    this.show();
    if (recording.active) return this.began(recording);
    this.forget();
    const text = reason ? "recording.stopped-itself" : "recording.stopped";
    return this.notices.show(t(text), { tone: reason ? "danger" : "info", detail: reason ?? "", seconds: STOPPED_S });
  }

  /** The notice stays until it is closed: nobody is to miss it. @private @param {import("../protocol.js").RecordingInfo} recording */
  began({ recording_id, started_by }) {
    this.known = recording_id;
    const words = started_by ? t("recording.started-by", { name: started_by }) : t("recording.started");
    const { session } = this;
    const no = { text: /** @type {const} */ ("consent.no"), run: () => session.chooseRecording(false) };
    const may = session.recordingChoice !== "everyone" && session.leftOut === null;
    const detail = session.leftOut ? t("recording.you-are-left-out") : "";
    this.notices.show(words, { tone: "danger", sign: "record", detail, seconds: 0, key: "recording", action: may ? no : null });
    if (this.isUnanswered) this.ask();
  }

  /** @private */
  forget() {
    this.known = undefined;
    this.notices.clear("recording");
  }

  /** @private */
  peopleChanged() {
    const { session } = this;
    const before = this.leftOut;
    this.leftOut = session.leftOut;
    this.show();
    if (before === undefined || before === this.leftOut) return;
    const active = session.recording.active ? "-now" : "";
    if (this.leftOut === null) this.note(t(`recording.you-are-in${active}`), "warning");
    else if (this.leftOut === "host") this.note(t("recording.host-left-you-out"), "info");
    else if (this.leftOut === "self") this.note(t("recording.you-left-out"), "info");
  }

  /** @private @param {string} words @param {"info" | "warning"} tone */
  note(words, tone) {
    const detail = tone === "info" && this.session.recording.active ? t("recording.before-stays") : "";
    this.notices.show(words, { tone, detail, seconds: CHANGED_S, key: "consent" });
  }

  /** Whether nothing of this person is recorded since they have not said yes or no. @private */
  get isUnanswered() {
    const { session } = this;
    return session.recordingChoice === "opt-in" && session.leftOut === "unanswered" && session.recorded === null;
  }

  /** @private */
  async ask() {
    const answer = await askRecording(this.session.recording.started_by);
    if (answer) this.session.chooseRecording(answer === "yes");
  }

  /** @private */
  async tell() {
    const { session } = this;
    const may = session.recordingChoice !== "everyone" && session.leftOut === null;
    const { started_by } = session.recording;
    if ((await tellRecording({ startedBy: started_by, leftOut: isOwnWord(session.leftOut), mayChoose: may })) === "no") {
      session.chooseRecording(false);
    }
  }

  /** @private */
  show() {
    const { recording, leftOut } = this.session;
    this.badge.show(recording, leftOut !== null);
  }
}

/** Whether it stays so when the person has read of the recording. @param {LeftOutBy | null} leftOut */
function isOwnWord(leftOut) {
  return leftOut === "self" || leftOut === "host";
}
