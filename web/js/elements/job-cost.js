import { formatSeconds, formatSize, t } from "../i18n.js";

/** @typedef {import("../types.js").Cost} Cost */

/** What a step or a job took, as far as it is known. @param {Cost} [cost] */
export function costText(cost) {
  const { wall_s = null, cpu_s = null, peak_memory_bytes = null } = cost ?? {};
  const parts = [];
  if (wall_s !== null) parts.push(formatSeconds(wall_s));
  if (cpu_s) parts.push(t("job.cpu", { time: formatSeconds(cpu_s) }));
  if (peak_memory_bytes !== null) parts.push(t("job.memory", { size: formatSize(peak_memory_bytes) }));
  return parts.join(" · ");
}
