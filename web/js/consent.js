/** Who may decide whether a person is recorded, and what is to be seen of it. No DOM. */

/** @typedef {import("./protocol.js").ParticipantInfo} ParticipantInfo */
/** @typedef {import("./protocol.js").RecordingChoice} RecordingChoice */
/** @typedef {import("./i18n.js").Key} Key */

/** What the page knows: `active` says whether a recording runs. @typedef {{isHost: boolean, choice: RecordingChoice, active: boolean}} RecordingRights */
/**
 * A switch that leaves a person out of recordings and takes them back.
 * @typedef {{recorded: boolean, possible: boolean, by: "self" | "host", text: Key}} ConsentSwitch `by`: whose word it is
 */

/**
 * The switch of a person in the list, null where this page has none.
 * @param {ParticipantInfo} person
 * @param {boolean} own
 * @param {RecordingRights} rights
 * @returns {ConsentSwitch | null}
 */
export function switchFor(person, own, { isHost, choice }) {
  const leftOut = person.left_out ?? null;
  const recorded = leftOut === null;
  if (own && choice !== "everyone" && !(isHost && leftOut === "host")) {
    return { recorded, possible: leftOut !== "host", by: "self", text: leftOut === "host" ? "consent.host-says-no" : "consent.switch-own" };
  }
  if (!isHost) return own && leftOut === "host" ? { recorded, possible: false, by: "host", text: "consent.host-says-no" } : null;
  const possible = recorded || leftOut === "host" || person.is_stream; // a program cannot be asked
  return { recorded, possible, by: "host", text: possible ? "consent.switch-other" : "consent.own-no" };
}

/** What the list says of a person who is not recorded; null where there is nothing to say.
 *  @param {ParticipantInfo} person @param {boolean} active whether a recording runs @returns {Key | null} */
export function factOf(person, active) {
  const leftOut = person.left_out ?? null;
  return leftOut && (active || leftOut !== "unanswered") ? `people.left-out-${leftOut}` : null;
}
