import { h } from "../dom.js";
import { icon } from "../icons.js";
import { LanguageSwitch } from "./language-switch.js";

/** The head of every page but the call. @param {{recordings?: boolean}} [show] */
export function topBar({ recordings = true } = {}) {
  const brand = h("a", { class: "brand", href: "/" }, icon("camera"), h("span", {}, "VMeet"));
  const current = location.pathname === "/recordings" ? "page" : null;
  const link = h("a", { class: "button quiet", href: "/recordings", "data-testid": "to-recordings", "aria-current": current });
  link.append(icon("film"), h("span", { t: "home.recordings" }));
  const skip = h("a", { class: "skip", href: "#main", t: "skip" });
  return h("header", { class: "top-bar" }, skip, brand, recordings ? link : null, new LanguageSwitch());
}
