/** What the results of a job are called. No DOM. */

import { formatList, isKey, language, t } from "./i18n.js";
import { OF_SPEECH, speechOf } from "./job-wish.js";

/** @typedef {import("./types.js").Job} Job */

/** Parts of a request that make no result another one, or are told in their own way. */
const NO_CHOICES = ["denoiser", "options", "title", "files", ...OF_SPEECH];

/**
 * The name that somebody gave; else the denoiser, and whatever else differs from the recording's other jobs.
 * @param {Job} job
 * @param {readonly Job[]} jobs all jobs of the recording
 */
export function jobName(job, jobs) {
  if (job.name) return job.name;
  const { denoiser } = job.request;
  const what = denoiser ? t("job.with", { name: denoiser }) : t("job.without");
  const details = differences(job, jobs);
  return details.length ? t("job.name-details", { what, details: formatList(details) }) : what;
}

/** The same of its transcript alone. @param {Job} job @param {readonly Job[]} jobs */
export function transcriptName(job, jobs) {
  const what = job.name || job.request.transcriber || t("transcript.title");
  const details = job.name ? [] : speechDifferences(job, jobs);
  return details.length ? t("job.name-details", { what, details: formatList(details) }) : what;
}

/** @param {Job} job @param {readonly Job[]} jobs @returns {string[]} */
function differences(job, jobs) {
  const { denoiser } = job.request;
  const like = jobs.filter((other) => (other.request.denoiser ?? null) === (denoiser ?? null));
  return [...told(optionsOf(job, denoiser), like.map((each) => optionsOf(each, denoiser))), ...told(choicesOf(job), jobs.map(choicesOf)), ...speechDifferences(job, jobs)];
}

/** @param {Job} job @param {readonly Job[]} jobs @returns {string[]} */
function speechDifferences(job, jobs) {
  const { transcriber } = job.request;
  if (!transcriber) return [];
  const heard = jobs.filter((other) => other.request.transcriber);
  const same = heard.filter((other) => other.request.transcriber === transcriber);
  const speech = told(speechOf(job.request), heard.map((each) => speechOf(each.request)));
  return [...told(optionsOf(job, transcriber), same.map((each) => optionsOf(each, transcriber))), ...speech];
}

/** The values that are not the same everywhere. @param {Record<string, unknown>} own
 *  @param {Record<string, unknown>[]} all @returns {string[]} */
function told(own, all) {
  const keys = [...new Set(all.flatMap((each) => Object.keys(each)))];
  const differing = keys.filter((key) => all.some((other) => JSON.stringify(other[key] ?? null) !== JSON.stringify(own[key] ?? null)));
  return differing.map((key) => choiceName(key, own[key]));
}

/** @param {string} key @param {unknown} value */
function choiceName(key, value) {
  if (key === "layout") return named(`choice.layout-${value ?? "default"}`, value);
  if (key === "transcriber") return value ? t("job.transcriber", { name: String(value) }) : t("job.no-transcriber");
  if (key === "script") return scriptName(String(value));
  if (key === "language") return languageName(String(value));
  if (key === "numbers" || key === "transcribe_from") return named(`choice.${key}-${value}`, value);
  return `${key}: ${shown(value)}`;
}

/** @param {string} key of a text @param {unknown} value for want of one */
function named(key, value) {
  return isKey(key) ? t(key) : String(value);
}

/** @param {string} script */
export function scriptName(script) {
  return named(`choice.script-${script}`, script);
}

/** @param {string} tag BCP 47, or "auto" */
function languageName(tag) {
  if (tag === "auto") return t("choice.language-auto");
  return new Intl.DisplayNames(language(), { type: "language", fallback: "code" }).of(tag) ?? tag;
}

/** @param {unknown} value */
function shown(value) {
  if (value === undefined || value === null) return t("job.option-default");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** @param {Job} job @param {string | null} [provider] @returns {Record<string, unknown>} */
function optionsOf({ request }, provider) {
  const options = request.options?.[provider ?? ""] ?? {};
  return /** @type {Record<string, unknown>} */ (options);
}

/** @param {Job} job @returns {Record<string, unknown>} */
function choicesOf({ request }) {
  return Object.fromEntries(Object.entries(request).filter(([key]) => !NO_CHOICES.includes(key)));
}
