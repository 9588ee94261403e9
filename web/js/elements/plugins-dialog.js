import { api } from "../api.js";
import { fill, h } from "../dom.js";
import { t } from "../i18n.js";
import { openDialog } from "./dialogs.js";
import { failureBox } from "./failure.js";

/** @typedef {import("../types.js").PluginProblem} PluginProblem */
/** @typedef {import("../types.js").Plugin} Plugin */
/** @typedef {import("../types.js").Kind} Kind */

/** For the operator: what is installed, what could not be used and why. */
export async function openPlugins() {
  const body = h("div", { class: "plugins" }, h("p", { class: "muted", t: "loading" }));
  openDialog({ title: "plugins.title", body: [body], testid: "plugins-dialog" });
  try {
    const { plugins, problems } = await api.plugins();
    fill(body, ...problemList(problems), ...pluginList(plugins));
  } catch (error) {
    fill(body, failureBox(error));
  }
}

/** @param {PluginProblem[]} problems */
function problemList(problems) {
  if (!problems.length) return [];
  const items = problems.map(({ plugin, distribution, reason, remedy }) =>
    h(
      "li",
      { class: "callout warning" },
      h(
        "div",
        {},
        h("strong", {}, plugin),
        distribution ? h("span", { class: "small" }, ` ${distribution}`) : null,
        h("p", {}, reason),
        remedy ? h("p", { class: "small", t: "plugins.remedy", tParams: { remedy } }) : null,
      ),
    ),
  );
  return [h("h3", { t: "plugins.problems" }), h("ul", {}, ...items)];
}

/** @param {Plugin[]} plugins */
function pluginList(plugins) {
  if (!plugins.length) return [h("p", { class: "muted", t: "plugins.none" })];
  const items = plugins.map(({ name, distribution, version, providers }) =>
    h(
      "li",
      {},
      h("strong", {}, name),
      h("span", { class: "muted small" }, ` ${[distribution, version].filter(Boolean).join(" ")}`),
      h("p", { class: "small" }, providerNames(providers)),
    ),
  );
  return [h("h3", { t: "plugins.installed" }), h("ul", {}, ...items)];
}

/** @param {[Kind, string][]} providers */
function providerNames(providers) {
  return providers.map(([kind, name]) => `${t(`kind.${kind}`)}: ${name}`).join(" · ");
}
