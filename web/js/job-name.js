/** What the results of a job are called. No DOM. */

import { formatList, isKey, t } from "./i18n.js";

/** @typedef {import("./types.js").Job} Job */

/** Parts of a request that make no result another one. */
const NO_CHOICES = ["denoiser", "options", "title", "files"];

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

/** @param {Job} job @param {readonly Job[]} jobs @returns {string[]} */
function differences(job, jobs) {
  const like = jobs.filter((other) => (other.request.denoiser ?? null) === (job.request.denoiser ?? null));
  return [...told(optionsOf(job), like.map(optionsOf)), ...told(choicesOf(job), jobs.map(choicesOf))];
}

/** The values that are not the same everywhere. @param {Record<string, unknown>} own
 *  @param {Record<string, unknown>[]} all @returns {string[]} */
function told(own, all) {
  const keys = [...new Set(all.flatMap((each) => Object.keys(each)))];
  const differing = keys.filter((key) => all.some((other) => JSON.stringify(other[key] ?? null) !== JSON.stringify(own[key] ?? null)));
  return differing.map((key) => (key === "layout" ? layoutName(own[key]) : `${key}: ${shown(own[key])}`));
}

/** @param {unknown} layout */
function layoutName(layout) {
  const key = `choice.layout-${layout ?? "default"}`;
  return isKey(key) ? t(key) : String(layout);
}

/** @param {unknown} value */
function shown(value) {
  if (value === undefined || value === null) return t("job.option-default");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** @param {Job} job @returns {Record<string, unknown>} */
function optionsOf({ request }) {
  const options = request.options?.[request.denoiser ?? ""] ?? {};
  return /** @type {Record<string, unknown>} */ (options);
}

/** @param {Job} job @returns {Record<string, unknown>} */
function choicesOf({ request }) {
  return Object.fromEntries(Object.entries(request).filter(([key]) => !NO_CHOICES.includes(key)));
}
